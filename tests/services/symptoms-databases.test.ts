/** What tells an operator of faults of databases. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after } from "node:test";
import { databases } from "../../docs/monitoring/faults.ts";
import type { RunningHost } from "../support/socket-hosts.ts";
import { withMariadb } from "../support/mariadb.ts";
import { dropSlot, PostgresServer, withPostgres } from "../support/postgres.ts";
import { untilMetrics } from "../support/metrics.ts";
import { until } from "../support/socket-probe.ts";
import { type Bench, type Cause, symptomTests } from "../support/symptoms.ts";
import { Sink } from "./metrics-support.ts";

const TABLE = "create table rows_of (id int primary key)";

/** A connector "db" whose flow "work" inserts what is published. */
const inserting = (driver: string, rest: string) => `
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  connector "db" {
    type   = "database"
    driver = "${driver}"
    ${rest}
  }
  flow "work" {
    from {
      connector = "events"
      operation = "work"
    }
    to {
      connector = "db"
      target    = "rows_of"
    }
  }
`;

const insert = ({ runtime }: Pick<RunningHost, "runtime">, id = 1) =>
  runtime.publish("work", { id });

/** A database server that is away, and comes back. */
function away(driver: "postgres" | "mysql", fromStart = false): Cause {
  const place = driver === "mysql" ? withMariadb : withPostgres;
  return {
    needs: driver === "mysql" ? "mariadb" : "postgres",
    play: (bench) =>
      place(async ({ url }) => {
        const proxy = await bench.proxy(Number(new URL(url).port));
        const through = Object.assign(new URL(url), { port: String(proxy.port) }).href;
        if (fromStart) proxy.refuse();
        const service = await bench.serve(inserting(driver, `url = "${through}"`));
        await bench.happens(() => {
          proxy.refuse();
          proxy.cut();
        });
        await bench.ends(() => proxy.accept());
        await service.close();
      }, { schema: TABLE }),
  };
}

const IN_USE = 'weir_database_pool_connections_in_use{connector="db"}';

/** A table of PostgreSQL that somebody has locked, and what happens to a flow "work" meanwhile. */
function locked(
  config: (url: string) => string,
  act: (bench: Bench, service: RunningHost) => Promise<void>,
): Cause {
  return {
    needs: "postgres",
    play: (bench) =>
      withPostgres(async ({ url, sql }) => {
        const { connectors } = new Sink();
        const service = await bench.serve(config(url), connectors);
        await sql("begin");
        await sql("lock table rows_of in access exclusive mode");
        await act(bench, service);
        await sql("rollback");
        await service.close();
      }, { schema: TABLE }),
  };
}

/** A connector "db" whose flow "work" reads. */
const reading = (url: string) => `
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  connector "sink" {
    type = "sink"
  }
  connector "db" {
    type   = "database"
    driver = "postgres"
    url    = "${url}"
    pool {
      max             = 1
      acquire_timeout = "200ms"
    }
  }
  flow "work" {
    from {
      connector = "events"
      operation = "work"
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

/** A file of SQLite in a folder of its own. */
function file(
  migration: string,
  act: (bench: Bench, service: RunningHost, path: string) => Promise<void>,
): Cause {
  return {
    async play(bench) {
      const folder = await mkdtemp(join(tmpdir(), "weir-symptoms-"));
      bench.onEnd(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, "001.sql"), migration);
      const path = join(folder, "test.db");
      const lines = `database = "${path}"\nmigrations = "${folder}"`;
      const service = await bench.serve(inserting("sqlite", lines));
      await act(bench, service, path);
      await service.close();
    },
  };
}

let shared: Promise<PostgresServer> | undefined;
after(async () => await (await shared)?.end());

/** A flow "work" on the changes of a table. */
function changes(
  act: (
    bench: Bench,
    parts: { readonly sql: PostgresServer["sql"]; readonly sink: Sink; readonly slot: string },
  ) => Promise<void>,
): Cause {
  return {
    needs: "postgres-server",
    async play(bench) {
      const server = await (shared ??= PostgresServer.open());
      await withPostgres(async ({ url, sql, name: slot }) => {
        const sink = new Sink();
        const service = await bench.serve(
          `
          connector "db" {
            type   = "database"
            driver = "postgres"
            url    = "${url}"
            changes {
              slot        = "${slot}"
              max_retries = 1
              retry_delay = "20ms"
              dead_letter = "dead"
            }
          }
          connector "sink" {
            type = "sink"
          }
          flow "work" {
            from {
              connector = "db"
              operation = "INSERT jobs"
            }
            to {
              connector = "sink"
            }
          }
        `,
          sink.connectors,
        );
        try {
          await act(bench, { sql, sink, slot });
        } finally {
          sink.release();
          await service.close();
          await dropSlot(sql, slot);
        }
      }, { at: server.url(), schema: 'create table jobs (id int primary key, "do" text)' });
    },
  };
}

await symptomTests(databases, {
  "PostgreSQL is away": away("postgres"),
  "PostgreSQL is away when the service starts": away("postgres", true),
  "MariaDB is away": away("mysql"),
  "a statement takes longer than `statement_timeout`": locked(
    (url) => inserting("postgres", `url = "${url}"\nstatement_timeout = "500ms"`),
    (bench, service) => bench.happens(() => insert(service)),
  ),
  "all connections of the pool are in use": locked(reading, async (bench, service) => {
    await insert(service);
    await untilMetrics(service.runtime, { [IN_USE]: 1 });
    await bench.happens(() => insert(service));
  }),
  "another process has locked the file of SQLite": file(
    `${TABLE};`,
    async (bench, service, path) => {
      const other = new DatabaseSync(path);
      other.exec("begin immediate");
      await bench.happens(() => insert(service));
      other.exec("rollback");
      other.close();
    },
  ),
  "the disk of SQLite is full": file(
    "create table rows_of (id int, text text); pragma max_page_count = 20;",
    (bench, { runtime }) =>
      bench.happens(() => runtime.publish("work", { id: 1, text: "x".repeat(200_000) })),
  ),
  "the file of SQLite is deleted": file(`${TABLE};`, async (bench, _, path) => {
    await bench.happens(() => rename(path, `${path}.away`));
    await bench.ends(() => rename(`${path}.away`, path));
  }),
  "changes are not handled as fast as they come": changes(async (bench, { sql, sink }) => {
    await bench.happens(() => sql("insert into jobs values (1, 'hold'), (2, 'ack')"));
    sink.release();
  }),
  "a change fails for good, and there is a `dead_letter`": changes((bench, { sql }) =>
    bench.happens(() => sql("insert into jobs values (1, 'fail')"))
  ),
  "somebody drops the replication slot": changes(async (bench, { sql, slot }) => {
    await bench.happens(() =>
      until("it is dropped", async () => {
        await sql(
          "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1",
          [slot],
        );
        return await sql("select pg_drop_replication_slot($1)", [slot])
          .then(() => true, () => false);
      })
    );
  }),
});
