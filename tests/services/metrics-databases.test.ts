/** The metrics of databases and of HTTP APIs: each moves where its thing is done. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { Runtime } from "../../src/runtime/mod.ts";
import { type Answer, reply, withApi } from "../support/http-api.ts";
import { untilMetrics } from "../support/metrics.ts";
import { withMariadb } from "../support/mariadb.ts";
import { keptPort } from "../support/ports.ts";
import { withPostgres } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { withMetrics, withProxy } from "./metrics-support.ts";

/** A series of the connector "db". */
function db(name: string, ...labels: readonly string[]): string {
  return `weir_database_${name}{${['connector="db"', ...labels].join(",")}}`;
}

const TABLE = "create table rows_of (id int primary key)";

/** Rows come in over a broker in the process, and others ask for some. */
const FLOWS = `
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  flow "insert" {
    from {
      connector = "events"
      operation = "insert"
    }
    to {
      connector = "db"
      target    = "rows_of"
    }
  }
  flow "read" {
    from {
      connector = "events"
      operation = "read"
    }
    step "rows" {
      connector = "db"
      query     = "select id from rows_of"
    }
    to {
      connector = "sink"
    }
  }
`;

const publish = (runtime: Runtime, key: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, id) => runtime.publish(key, { id })));

/** Inserts rows, which share commits. */
async function insert(runtime: Runtime): Promise<void> {
  await publish(runtime, "insert", 20);
  const ended = 'weir_flow_events_total{flow="insert",outcome="ok"}';
  await untilMetrics(runtime, {
    [ended]: 20,
    [db("connected")]: 1,
    [db("commit_writes_sum")]: 20,
    [db("commit_writes_count")]: (count) => count >= 1 && count < 20,
    'weir_destination_duration_seconds_count{flow="insert",connector="db"}': 20,
  });
}

test("metrics of SQLite", () =>
  withMetrics(
    `connector "db" {\ntype = "database"\ndriver = "sqlite"\ndatabase = ":memory:"\n}${FLOWS}
    flow "make" {
      from {
        connector = "events"
        operation = "make"
      }
      to {
        connector = "db"
        query     = "${TABLE}"
      }
    }`,
    async (runtime) => {
      await runtime.publish("make", {});
      await untilMetrics(runtime, {
        'weir_flow_events_total{flow="make",outcome="ok"}': 1,
        [db("commit_writes_count")]: 1,
      });
      await publish(runtime, "insert", 20);
      const series = await untilMetrics(runtime, {
        [db("commit_writes_sum")]: 21,
        [db("commit_writes_count")]: (count) => count > 1 && count < 21,
      });
      // A file has neither.
      for (const name of ["reconnects_total", "pool_connections_max"]) {
        assert.equal(series.series.has(db(name)), false, name);
      }
    },
  ));

interface Server {
  readonly driver: string;
  readonly service: "postgres" | "mariadb";
  readonly with: typeof withPostgres | typeof withMariadb;
  /** The statements of a session that lets nobody else read the table, and the one that ends it. */
  readonly lock: readonly string[];
  readonly unlock: string;
}

const servers: Readonly<Record<string, Server>> = {
  PostgreSQL: {
    driver: "postgres",
    service: "postgres",
    with: withPostgres,
    lock: ["begin", "lock table rows_of in access exclusive mode"],
    unlock: "commit",
  },
  MariaDB: {
    driver: "mysql",
    service: "mariadb",
    with: withMariadb,
    lock: ["lock tables rows_of write"],
    unlock: "unlock tables",
  },
};

for (const [title, server] of Object.entries(servers)) {
  await serviceTest(
    server.service,
    `metrics of ${title}`,
    () =>
      server.with(async ({ url, sql }) => {
        await withProxy(Number(new URL(url).port), async (proxy) => {
          const through = Object.assign(new URL(url), { port: String(proxy.port) }).href;
          const config = `connector "db" {\ntype = "database"\ndriver = "${server.driver}"\n` +
            `url = "${through}"\npool {\nmax = 2\nacquire_timeout = "30s"\n}\n}${FLOWS}`;
          await withMetrics(config, async (runtime) => {
            await insert(runtime);
            await untilMetrics(runtime, {
              [db("pool_connections_max")]: 2,
              [db("pool_connections_in_use")]: 0,
              [db("reconnects_total")]: 0,
            });

            // Reads that wait for a lock have all connections, and the others wait for those.
            await publish(runtime, "read", 5);
            await untilMetrics(runtime, {
              'weir_flow_events_total{flow="read",outcome="ok"}': 5,
              'weir_step_duration_seconds_count{flow="read",connector="db"}': 5,
            });
            for (const statement of server.lock) await sql(statement);
            await publish(runtime, "read", 5);
            await untilMetrics(runtime, {
              [db("pool_connections_in_use")]: 2,
              [db("pool_waiting")]: 3,
              'weir_flow_in_flight{flow="read"}': 5,
            });
            await sql(server.unlock);
            await untilMetrics(runtime, {
              [db("pool_connections_in_use")]: 0,
              [db("pool_waiting")]: 0,
              'weir_flow_in_flight{flow="read"}': 0,
            });

            proxy.refuse();
            proxy.cut();
            const before = await untilMetrics(runtime, { [db("connected")]: 0 });
            const reconnects = before.value("weir_database_reconnects_total");
            await proxy.accept();
            await untilMetrics(runtime, {
              [db("connected")]: 1,
              [db("reconnects_total")]: reconnects + 1,
            });
          });
        });
      }, { schema: TABLE }),
  );
}

await serviceTest(
  "postgres",
  "metrics of notifications",
  () =>
    withPostgres(({ url, sql }) =>
      withProxy(Number(new URL(url).port), async (proxy) => {
        const through = Object.assign(new URL(url), { port: String(proxy.port) }).href;
        const config = `
        connector "db" {
          type   = "database"
          driver = "postgres"
          url    = "${through}"
        }
        flow "news" {
          from {
            connector = "db"
            operation = "NOTIFY news"
          }
          to {
            connector = "sink"
          }
        }
      `;
        const settled = (settlement: string) =>
          db("changes_received_total", `settlement="${settlement}"`);
        await withMetrics(config, async (runtime) => {
          await untilMetrics(runtime, { [db("connected")]: 1 });
          for (const what of ["ack", "die"]) {
            await sql("select pg_notify('news', $1)", [JSON.stringify({ do: what })]);
          }
          await untilMetrics(runtime, {
            [settled("ack")]: 1,
            [settled("discard")]: 1,
            [db("change_deliveries_total")]: 2,
            [db("gaps_total")]: 0,
          });
          proxy.cut();
          await untilMetrics(runtime, { [db("gaps_total")]: 1 });
        });
      })
    ),
);

test("metrics of an HTTP API", () => {
  // The first request is answered with 503, and the others when the test wants it.
  let open = false;
  const held: Socket[] = [];
  const answer: Answer = ({ number, socket }) => {
    if (number === 1) return reply(503);
    if (open) return reply(200, {});
    held.push(socket);
  };
  return withApi(answer, async (api) => {
    const port = await keptPort();
    const http = (connector: string, name: string) => `weir_http_${name}{connector="${connector}"}`;
    const flow = (name: string) => `
      connector "${name}" {
        type            = "http"
        base_url        = "${name === "api" ? api.url : `http://127.0.0.1:${port}`}"
        max_connections = 1
        retry {
          attempts = 2
          delay    = "10ms"
        }
      }
      flow "${name}" {
        from {
          connector = "events"
          operation = "${name}"
        }
        to {
          connector = "${name}"
          operation = "GET /"
        }
      }
    `;
    const events = 'connector "events" {\ntype = "mq"\ndriver = "memory"\n}';
    await withMetrics(events + flow("api") + flow("away"), async (runtime) => {
      await untilMetrics(runtime, {
        [http("api", "connected")]: 1,
        [http("away", "connected")]: 1,
      });
      for (let n = 0; n < 3; n++) await runtime.publish("api", { n });
      await untilMetrics(runtime, {
        [http("api", "requests_total")]: 3,
        [http("api", "retries_total")]: 1,
        [http("api", "connections_in_use")]: 1,
        [http("api", "connections_max")]: 1,
        [http("api", "waiting")]: 2,
        [http("api", "connected")]: 1,
      });
      await runtime.publish("away", {});
      await untilMetrics(runtime, {
        [http("away", "connected")]: 0,
        [http("away", "failures_total")]: (count) => count >= 1,
      });
      open = true;
      for (const socket of held) socket.write(reply(200, {}));
      await untilMetrics(runtime, {
        'weir_flow_events_total{flow="api",outcome="ok"}': 3,
        [http("api", "connections_in_use")]: 0,
        [http("api", "waiting")]: 0,
      });
    });
  });
});
