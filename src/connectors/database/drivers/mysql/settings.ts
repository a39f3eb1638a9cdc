/** Where a server is and who connects to it: from a URL or from its parts. */
import { ConnectorError } from "../../../../base/errors.ts";
import { quoted, shown } from "../../../../base/shown.ts";
import { readTls, type TlsMaterial } from "../../../../contract/tls-files.ts";
import type { DatabaseOptions } from "../../options.ts";
import {
  type Fail,
  readServerUrl,
  refuseParameter,
  type ServerUrl,
  type UrlForm,
} from "../server-url.ts";

const URL_FORM: UrlForm = { schemes: ["mysql", "mariadb"], port: 3306 };

/** What says the same as a parameter that other programs take in the URL, by its name in small letters. */
const INSTEAD: Readonly<Record<string, string>> = {
  acquiretimeout: "use pool { acquire_timeout = … }",
  allowpublickeyretrieval: "use tls = true",
  connectionlimit: "use pool { max = … }",
  idletimeout: "use pool { idle_timeout = … }",
  maxidle: "use pool { idle_timeout = … }",
  password: "put the password before the host",
  port: "put the port after the host",
  rejectunauthorized: "with tls = true the certificate is always verified",
  ssl: "use tls = true",
  "ssl-ca": "use tls { ca = … }",
  "ssl-cert": "use tls { cert = … }",
  "ssl-key": "use tls { key = … }",
  "ssl-mode": "use tls = true",
  sslmode: "use tls = true",
  tls: "use tls = true",
  user: "put the user before the host",
  usessl: "use tls = true",
};

/** What a connection is opened with. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  /** Undefined for that of the server: the anonymous one. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string;
  /** Undefined for a connection without TLS. */
  readonly tls: TlsMaterial | undefined;
  /** Milliseconds after which the server gives a statement up; undefined without a limit. */
  readonly statementTimeout: number | undefined;
}

/** How the log names the server. */
export function serverName(
  { host, port, database }: Pick<ConnectionSettings, "host" | "port" | "database">,
): string {
  const address = host.includes(":") ? `[${host}]` : host;
  return `database ${quoted(database)} at ${shown(address)}:${port}`;
}

/**
 * Reads the settings of a connector, which `name` is for errors.
 *
 * @throws {ConnectorError} Permanent: the URL is none of MySQL's, something is missing, or a file of
 * `tls` cannot be read.
 */
export async function readSettings(
  name: string,
  options: DatabaseOptions,
): Promise<ConnectionSettings> {
  const fail = (message: string): never => {
    throw new ConnectorError(name, message, { permanent: true });
  };
  const { url } = options;
  const place = url === undefined ? options : readUrl(url, fail);
  const { host = "localhost", port = URL_FORM.port, user, password, database } = place;
  if (database === undefined || database === "") {
    const where = url === undefined ? 'database = "NAME"' : "mysql://user:password@host/NAME";
    return fail(`needs the name of a database, such as ${where}`);
  }
  return {
    host,
    port,
    user,
    password,
    database,
    tls: options.tls && await readTls(options.tls, fail),
    statementTimeout: options.statement_timeout,
  };
}

function readUrl(text: string, fail: Fail): ServerUrl {
  const url = readServerUrl(text, URL_FORM, fail);
  for (const name of url.parameters.keys()) {
    const taken = "a url has none; what can be set is an attribute of the connector";
    refuseParameter(name, INSTEAD, taken, fail);
  }
  return url;
}
