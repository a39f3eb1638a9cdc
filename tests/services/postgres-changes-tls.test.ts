/** Changes and notifications of PostgreSQL over TLS, and with a short limit for statements. */
import assert from "node:assert/strict";
import { dropSlot, PostgresServer, withPostgres } from "../support/postgres.ts";
import { until } from "../support/mq.ts";
import { serviceTest } from "../support/services.ts";
import { keeping, makeSource, withSource } from "./postgres-changes-support.ts";

await serviceTest(
  "postgres-server",
  "changes and NOTIFY: over TLS, however long they run",
  async () => {
    const hba = ["hostnossl all weir 127.0.0.1/32 reject", "hostssl all weir 127.0.0.1/32 trust"];
    const own = await PostgresServer.open({ tls: true, hba });
    try {
      await withPostgres(async ({ name, sql }) => {
        await sql("create role weir superuser login");
        const url = own.url(name, "weir", "");
        const tls = { ca: own.certificate!.cert };
        const [changes, notes] = [keeping(), keeping()];
        const flows = { "INSERT t": changes.keep, "NOTIFY c": notes.keep };
        const options = { url, tls, statement_timeout: 300 };
        await withSource(options, flows, async ({ connector, log }) => {
          await until("it reads and listens", () => connector.health() === undefined);
          // Longer than a statement may run.
          await sql("select pg_sleep(1)");
          await sql("insert into t values (1); notify c, '1'");
          await until("both are there", () => changes.events.length + notes.events.length === 2);
          const open = await sql(
            "select application_name as name, ssl from pg_stat_activity join pg_stat_ssl using (pid) " +
              "where usename = 'weir' order by 1",
          );
          assert.ok(open.every(({ ssl }) => ssl === true), JSON.stringify(open));
          const names = new Set(open.map(({ name }) => name));
          assert.ok(names.has("weir/pg changes") && names.has("weir/pg listen"), [...names].join());
          assert.deepEqual(log.filter(([level]) => level !== "info"), []);
        });
        const { connector } = await makeSource({ url }, flows);
        await assert.rejects(
          async () => await connector.start(),
          /pg_hba.conf rejects|no encryption/,
        );
        await connector.close();
        await dropSlot(sql, "weir_app");
        await sql("drop owned by weir; drop role weir");
      }, { at: own.url(), schema: "create table t (id int primary key)" });
    } finally {
      await own.end();
    }
  },
);
