/** Where the server is and how Weir signs in: read from a URL or from its parts. */
import { ConnectorError } from "../../../../base/errors.ts";
import { quoted, shown } from "../../../../base/shown.ts";
import { NO_FILES } from "../../../../contract/tls-field.ts";
import { readTls, type TlsMaterial } from "../../../../contract/tls-files.ts";
import type { DatabaseOptions } from "../../options.ts";
import { type Fail, readServerUrl, refuseParameter, type UrlForm } from "../server-url.ts";

/** A server, a database on it and a user of it. */
export interface Server {
  /** The connector's name, for errors. */
  readonly connector: string;
  /** A name, an address without brackets, or the folder of a Unix socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Undefined where the server asks for none. */
  readonly password: string | undefined;
  /** What `pg_stat_activity` shows. */
  readonly applicationName: string;
  /** Undefined without encryption. With it the certificate is verified. */
  readonly tls: TlsMaterial | undefined;
  /** Milliseconds after which the server gives up a statement; undefined for no limit. */
  readonly statementTimeout: number | undefined;
}

/** What of it a URL or the attributes say. */
interface Address {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: string | undefined;
  readonly applicationName?: string | undefined;
  /** Whether it asks for TLS; undefined where it says nothing. */
  readonly tls?: boolean | undefined;
}

const URL_FORM: UrlForm = { schemes: ["postgres", "postgresql"], port: 5432 };

/** What says the same as a parameter that other programs take in the URL. */
const INSTEAD: Readonly<Record<string, string>> = {
  sslrootcert: "use tls { ca = … }",
  sslcert: "use tls { cert = … }",
  sslkey: "use tls { key = … }",
  ssl: "use sslmode=require, or tls = true",
  statement_timeout: "use the attribute statement_timeout",
  connect_timeout: "Weir always connects within 5 s; leave it out",
  options: "set them at the server, with ALTER ROLE … SET",
  search_path: "set it at the server, with ALTER ROLE … SET",
  host: "put the host before the path",
  port: "put the port after the host",
  user: "put the user before the host",
  password: "put the password before the host",
  dbname: "put the database into the path",
};

/**
 * Reads the address and the files of TLS. By default the host is `localhost`, the port 5432, the user
 * `postgres`, whoever runs Weir, and the database that of the user's name.
 *
 * @throws {ConnectorError} The URL is wrong, or a file is; permanent.
 */
export async function readServer(name: string, options: DatabaseOptions): Promise<Server> {
  const fail = (message: string): never => {
    throw new ConnectorError(name, message, { permanent: true });
  };
  const { url, tls, ...parts } = options;
  const address: Address = url === undefined ? parts : readUrl(url, fail);
  if (address.tls === false && tls !== undefined) {
    fail("has sslmode=disable in its url and asks for tls; leave one of them out");
  }
  const { user = "postgres", host = "localhost" } = address;
  const wanted = tls ?? (address.tls ? NO_FILES : undefined);
  if (wanted !== undefined && host.startsWith("/")) {
    fail("asks for tls over a Unix socket, which has none; leave tls out");
  }
  return {
    connector: name,
    host,
    port: address.port ?? URL_FORM.port,
    user,
    database: address.database ?? user,
    password: address.password,
    applicationName: address.applicationName ?? `weir/${name}`,
    tls: wanted && await readTls(wanted, fail),
    statementTimeout: options.statement_timeout,
  };
}

/** The server in the words of an error, without the password. */
export function serverName({ host, port, database }: Server): string {
  const address = host.includes(":") ? `[${host}]` : host;
  return `database ${quoted(database)} at ${shown(address)}:${port}`;
}

function readUrl(text: string, fail: Fail): Address {
  const { parameters, ...place } = readServerUrl(text, URL_FORM, fail);
  return { ...place, ...readParameters(parameters, fail) };
}

function readParameters(
  parameters: URLSearchParams,
  fail: Fail,
): Pick<Address, "applicationName" | "tls"> {
  let tls: boolean | undefined;
  let applicationName: string | undefined;
  for (const [name, value] of parameters) {
    if (name === "application_name") applicationName = value;
    else if (name === "sslmode") {
      // "require" of other programs does not look at the certificate; here TLS always does.
      if (!["disable", "require", "verify-full"].includes(value)) {
        fail(`has sslmode=${shown(value)} in its url; disable, require and verify-full are taken`);
      }
      tls = value !== "disable";
    } else refuseParameter(name, INSTEAD, "sslmode and application_name are taken", fail);
  }
  return { tls, applicationName };
}
