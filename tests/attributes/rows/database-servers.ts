/** The attributes of the `database` connector that concern a server, shown with servers of both kinds. */
import { until } from "../../support/mq.ts";
import { pause } from "../../support/socket-probe.ts";
import { connection, type Kind, ownServer, withQuery } from "../database-servers.ts";
import type { Row } from "../row.ts";

const HOST = 'host = "127.0.0.1"';
const PORT = 'port = env("PORT")';
const PLACE = `${HOST}\n${PORT}\ndatabase = "app"`;
const LOGIN = 'user = "weir"\npassword = env("PASSWORD")';

/** How many requests come at the same time. */
const REQUESTS = 3;

/** A statement that waits. */
const SLOW: Readonly<Record<Kind, string>> = {
  postgres: "SELECT 1 AS n FROM pg_sleep(0.3)",
  mysql: "SELECT 1 AS n, SLEEP(0.3) AS slept",
};

/**
 * What several slow requests at once are answered, how many connections there are for them, and how
 * many of these are left after so many milliseconds. `connected` is true where one is open before.
 */
async function load(kind: Kind, attribute: string, milliseconds = 0, connected = false) {
  const { proxy, env } = await ownServer(kind);
  await until("the end of earlier connections", () => proxy.connections === 0);
  const attributes = `${PLACE.replace("PORT", "PROXY")}\n${LOGIN}\n${attribute}`;
  return await withQuery(kind, attributes, SLOW[kind], async ({ request }) => {
    // One asks the server whether it is there.
    const before = proxy.connections;
    if (connected) {
      const first = async () => (await request("POST /ask", {})).status === 200;
      await until("a connection", first);
    }
    const requests = Array.from({ length: REQUESTS }, () => request("POST /ask", {}));
    // On a busy machine an idle one may be closed before the last request is answered.
    let most = 0;
    const look = () => most = Math.max(most, proxy.connections - before);
    const looking = setInterval(look, 10);
    const answers = await Promise.all(requests).finally(() => clearInterval(looking));
    look();
    const end = performance.now() + milliseconds;
    while (proxy.connections > before && performance.now() < end) await pause(20);
    return {
      answers: answers.map(({ status }) => status).sort(),
      opened: most,
      left: proxy.connections - before,
    };
  }, { env });
}

const all = (status: number) => Array.from({ length: REQUESTS }, () => status);

const tls = (line: string, rest = "") => `tls {\nca = env("CERT")\n${rest}\n${line}\n}`;

/** The rows of one kind of server. */
function rowsFor(kind: Kind): readonly Row[] {
  const connects = (attributes: string) => connection(kind, attributes);
  const certified = (rest: string) => (line: string) =>
    connects(`${PLACE}\nuser = "localhost"\n${tls(line, rest)}`);
  return [
    {
      attribute: "connector database/url",
      text: 'url = env("URL")',
      observe: connects,
      without: ["missing-attribute"],
      with: "weir at app, tls: no",
    },
    {
      attribute: "connector database/host",
      text: 'host = "db.invalid"',
      observe: (text) => connects(`${text}\n${PORT}\ndatabase = "app"\n${LOGIN}`),
      without: "weir at app, tls: no",
      with: "db.invalid is away",
    },
    {
      // Elsewhere is the machine's own server, which does not know the user.
      attribute: "connector database/port",
      text: PORT,
      observe: (text) => connects(`${HOST}\n${text}\ndatabase = "app"\n${LOGIN}`),
      without: "the user is refused",
      with: "weir at app, tls: no",
    },
    {
      attribute: "connector database/database",
      text: 'database = "app"',
      observe: (text) => connects(`${HOST}\n${PORT}\n${text}\n${LOGIN}`),
      without: ["missing-attribute"],
      with: "weir at app, tls: no",
    },
    {
      attribute: "connector database/user",
      text: 'user = "nobody"',
      observe: (text) => connects(`${PLACE}\n${text}`),
      without: "the user is refused",
      with: "nobody at app, tls: no",
    },
    {
      attribute: "connector database/password",
      text: 'password = env("PASSWORD")',
      observe: (text) => connects(`${PLACE}\nuser = "weir"\n${text}`),
      without: "the user is refused",
      with: "weir at app, tls: no",
    },
    {
      // The server's certificate is signed by nobody whom the runtime knows.
      attribute: "connector database/tls",
      text: "tls = true",
      observe: (text) => connects(`${PLACE}\n${LOGIN}\n${text}`),
      without: "weir at app, tls: no",
      with: "the certificate is refused",
    },
    {
      attribute: "connector database/tls/ca",
      text: 'ca = env("CERT")',
      observe: (text) => connects(`${PLACE}\n${LOGIN}\ntls {\n${text}\n}`),
      without: "the certificate is refused",
      with: "weir at app, tls: yes",
    },
    {
      attribute: "connector database/tls/cert",
      text: 'cert = env("CERT")',
      observe: certified('key = env("KEY")'),
      without: ["missing-attribute"],
      with: "localhost at app, tls: yes",
    },
    {
      attribute: "connector database/tls/key",
      text: 'key = env("KEY")',
      observe: certified('cert = env("CERT")'),
      without: ["missing-attribute"],
      with: "localhost at app, tls: yes",
    },
    {
      // A certificate with its key in place of a password.
      attribute: "connector database/tls/cert",
      text: 'cert = env("CERT")\nkey = env("KEY")',
      observe: certified(""),
      without: "the user is refused",
      with: "localhost at app, tls: yes",
    },
    {
      attribute: "connector database/tls/server_name",
      text: 'server_name = "other.example"',
      observe: (text) => connects(`${PLACE}\n${LOGIN}\n${tls(text)}`),
      without: "weir at app, tls: yes",
      with: "the certificate is refused",
    },
    {
      attribute: "connector database/pool/max",
      text: "pool {\nmax = 1\n}",
      observe: (text) => load(kind, text),
      without: { answers: all(200), opened: REQUESTS, left: REQUESTS },
      with: { answers: all(200), opened: 1, left: 1 },
    },
    {
      attribute: "connector database/pool/acquire_timeout",
      text: 'acquire_timeout = "100ms"',
      // A busy machine may need longer than that to open the connection.
      observe: (text) => load(kind, `pool {\nmax = 1\n${text}\n}`, 0, true),
      without: { answers: all(200), opened: 1, left: 1 },
      with: { answers: [200, ...all(500).slice(1)], opened: 1, left: 1 },
    },
    {
      attribute: "connector database/pool/idle_timeout",
      text: 'pool {\nidle_timeout = "100ms"\n}',
      observe: (text) => load(kind, text, 1500),
      without: { answers: all(200), opened: REQUESTS, left: REQUESTS },
      with: { answers: all(200), opened: REQUESTS, left: 0 },
    },
    {
      attribute: "connector database/statement_timeout",
      text: 'statement_timeout = "100ms"',
      observe: async (text) => (await load(kind, text)).answers,
      without: all(200),
      with: all(500),
    },
  ];
}

/** With PostgreSQL. */
export const postgresRows: readonly Row[] = rowsFor("postgres");

/** With MariaDB. */
export const mariadbRows: readonly Row[] = rowsFor("mysql");
