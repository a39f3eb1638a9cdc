/** Database servers as a configuration of a row sees them: one of each kind for all rows of a file. */
import { ConnectorError } from "../../src/base/errors.ts";
import { MariadbServer } from "../support/mariadb.ts";
import { PostgresServer } from "../support/postgres.ts";
import { Proxy } from "../support/proxy.ts";
import { inWorld, REST, type World, type WorldOptions } from "./support.ts";

/** The name of a driver. */
export type Kind = "postgres" | "mysql";

/** A user with a password, and one who needs a certificate instead. */
export const USER = "weir";
export const PASSWORD = "p w:@/%";
export const CERTIFIED = "localhost";
/** A database that both may use. */
export const DATABASE = "app";

/** A server that asks for passwords and speaks TLS, with a port in front of it. */
export interface Own {
  /** Passes everything on to it. */
  readonly proxy: Proxy;
  /** What the configurations read by `env`. */
  readonly env: Readonly<Record<string, string>>;
  /** Where its administrator connects. */
  readonly admin: string;
}

const opened = new Map<Kind, Promise<Own & { end(): Promise<void> }>>();

/** The server of a kind: started once. */
export function ownServer(kind: Kind): Promise<Own> {
  const open = kind === "postgres" ? openPostgres : openMariadb;
  if (!opened.has(kind)) opened.set(kind, open());
  return opened.get(kind) as Promise<Own>;
}

/** Ends what was started. */
export async function endServers(): Promise<void> {
  for (const own of opened.values()) await (await own).end();
  opened.clear();
}

async function openPostgres() {
  const server = await PostgresServer.open({
    tls: true,
    // A client's certificate has this server's own name, and is the authority for itself.
    hba: [`hostssl all ${CERTIFIED} all cert`, `host ${DATABASE} nobody all trust`],
    settings: { ssl_ca_file: "../server.pem" },
  });
  return await furnish("postgres", server, [
    `create user ${USER} password '${PASSWORD}'`,
    `create user ${CERTIFIED}`,
    "create user nobody",
    `create database ${DATABASE}`,
  ]);
}

async function openMariadb() {
  const server = await MariadbServer.open({
    tls: true,
    settings: { "ssl-ca": "../server.pem" },
  });
  return await furnish("mysql", server, [
    `create database ${DATABASE}`,
    `create user ${USER} identified by '${PASSWORD}'`,
    `create user ${CERTIFIED} require x509`,
    "create user nobody",
    `grant all on ${DATABASE}.* to ${USER}, ${CERTIFIED}, nobody`,
  ]);
}

async function furnish(
  kind: Kind,
  server: PostgresServer | MariadbServer,
  statements: readonly string[],
) {
  try {
    for (const statement of statements) await server.sql(statement);
    const proxy = await Proxy.open(server.port);
    const { cert = "", key = "" } = server.certificate ?? {};
    const login = `${USER}:${encodeURIComponent(PASSWORD)}`;
    return {
      proxy,
      admin: server.url(),
      env: {
        PORT: String(server.port),
        PROXY: String(proxy.port),
        URL: `${kind}://${login}@127.0.0.1:${server.port}/${DATABASE}`,
        PASSWORD,
        CERT: cert,
        KEY: key,
      },
      async end() {
        proxy.close();
        await server.end();
      },
    };
  } catch (error) {
    await server.end();
    throw error;
  }
}

/** Who the server says that one is, where, and whether the connection is encrypted. */
const WHO: Readonly<Record<Kind, string>> = {
  postgres: `SELECT current_user AS who, current_database() AS place,
    CASE WHEN (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) THEN 'yes' ELSE 'no' END AS tls`,
  mysql: `SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AS who, DATABASE() AS place,
    (SELECT IF(VARIABLE_VALUE = '', 'no', 'yes') FROM information_schema.SESSION_STATUS
      WHERE VARIABLE_NAME = 'Ssl_cipher') AS tls`,
};

/** What the row of `WHO` says, or why there is none. */
export async function connection(kind: Kind, attributes: string): Promise<string> {
  const { env } = await ownServer(kind);
  try {
    return await withQuery(kind, attributes, WHO[kind], async ({ request, runtime }) => {
      const { db } = runtime.health();
      if (db !== undefined) return reasonOf(db);
      const { body } = await request("POST /ask", {});
      const { found: { who, place, tls } } = body as { found: Record<string, string> };
      return `${who} at ${place}, tls: ${tls}`;
    }, { env });
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    return reasonOf(error.message);
  }
}

/** Calls `look` while `POST /ask` runs this query, and answers with the row `found`. */
export function withQuery<T>(
  kind: Kind,
  attributes: string,
  query: string,
  look: (world: World) => Promise<T>,
  options: WorldOptions,
): Promise<T> {
  const config = `${REST}
    connector "db" {
      type   = "database"
      driver = "${kind}"
      ${attributes}
    }
    flow "ask" {
      from {
        connector = "api"
        operation = "POST /ask"
      }
      step "row" {
        connector = "db"
        query     = ${JSON.stringify(query.replace(/\s+/g, " "))}
      }
      response { found = "step.row" }
    }
  `;
  return inWorld(config, look, options);
}

/** What is wrong, in words that no runtime and no server has of its own. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/certificate is refused|TLS failed/, "the certificate is refused"],
  [/password|Access denied|role "\w+" does not exist/, "the user is refused"],
  [/db\.invalid:/, "db.invalid is away"],
];

function reasonOf(text: string): string {
  return REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? text;
}
