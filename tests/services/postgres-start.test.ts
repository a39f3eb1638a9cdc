/** PostgreSQL: what happens at a start, and what instances do at the same time. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DedupeKeys } from "../../src/connectors/database/dedupe.ts";
import { Proxy } from "../support/proxy.ts";
import { withPostgres } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { write } from "../unit/database-support.ts";
import { connector, migration, until, withOpen } from "./postgres-support.ts";

await serviceTest(
  "postgres",
  "a server that goes away amid a migration is waited for",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "weir-postgres-"));
    try {
      await withPostgres(async ({ url, sql }) => {
        await writeFile(
          join(folder, "1.sql"),
          "create table a (id int); insert into a values (1); select pg_sleep(0.5);",
        );
        const proxy = await Proxy.open(5432);
        const { db, records } = connector({
          url: url.replace(":5432", `:${proxy.port}`),
          migrations: folder,
        });
        try {
          const starting = db.start();
          await until(
            "it runs",
            async () =>
              (await sql("select 1 from pg_stat_activity where query like 'create table a%'"))
                .length > 0,
          );
          proxy.cut();
          await starting;
          assert.match(
            String(db.health()),
            /cannot open database .*: lost the connection/,
          );
          await until("it is open", () => db.health() === undefined);
          assert.deepEqual(await write(db, { query: "select id from a", payload: {} }), [{
            id: 1,
          }]);
          // Beside warnings it says which migration runs.
          const others = records.filter(({ text }) => !/^appl\w+ migration /.test(text));
          assert.equal(others.pop()?.text, "the database is open");
          assert.ok(others.every(({ level }) => level === "warn"), JSON.stringify(records));
        } finally {
          await db.close();
          proxy.close();
        }
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

await serviceTest(
  "postgres",
  "a start that cannot succeed is final, one that can is repeated",
  async () => {
    await withPostgres(async ({ url }) => {
      const unknown = connector({ url: url.replace(/\/weir_test_\w+$/, "/nosuch") });
      await assert.rejects(unknown.db.start(), {
        permanent: true,
        message: /"nosuch" does not exist/,
      });
      await unknown.db.close();

      const proxy = await Proxy.open(5432);
      proxy.refuse();
      const { db } = connector({ url: url.replace(":5432", `:${proxy.port}`) });
      await db.start();
      assert.match(String(db.health()), /cannot open database .*refused|ECONNREFUSED/);
      await assert.rejects(write(db, { query: "select 1", payload: {} }), /cannot open database/);
      await proxy.accept();
      await until("it is open", () => db.health() === undefined);
      // It neither answers nor refuses.
      proxy.stall();
      await until("it is missed", () => db.health() !== undefined);
      await assert.rejects(write(db, { query: "select 1", payload: {} }), /does not answer/);
      proxy.resume();
      await until("it is found again", () => db.health() === undefined);
      assert.deepEqual(await write(db, { query: "select 1 as n", payload: {} }), [{ n: 1 }]);
      await db.close();
      proxy.close();
    });
  },
);

await serviceTest("postgres", "variables of the environment for psql change nothing", async () => {
  await withPostgres(async ({ url }) => {
    const foreign: Readonly<Record<string, string>> = {
      PGHOST: "192.0.2.1",
      PGPORT: "1",
      PGUSER: "nobody",
      PGDATABASE: "nosuch",
      PGPASSWORD: "wrong",
      PGAPPNAME: "other",
      PGSSLMODE: "require",
      PGOPTIONS: "-c default_transaction_read_only=on",
      PGCLIENT_ENCODING: "LATIN1",
    };
    const before = Object.keys(foreign).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, foreign);
    try {
      await withOpen({ url, statement_timeout: 3210 }, async (database) => {
        const settings = [
          "application_name",
          "default_transaction_read_only",
          "client_encoding",
          "TimeZone",
          "statement_timeout",
        ];
        const columns = settings.map((name) => `current_setting('${name}') as "${name}"`);
        const statement = database.prepare(`select ${columns}`, {
          rows: "first",
          background: true,
          names: [],
        });
        assert.deepEqual(await database.query(statement, []), [{
          application_name: "weir/db",
          default_transaction_read_only: "off",
          client_encoding: "UTF8",
          TimeZone: "UTC",
          statement_timeout: "3210ms",
        }]);
      });
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});

await serviceTest(
  "postgres",
  "instances that keep their first keys together all keep them",
  async () => {
    await withPostgres(async ({ url, sql }) => {
      await withOpen({ url }, async (first, { logger }) => {
        await withOpen({ url }, async (second) => {
          for (let round = 0; round < 5; round++) {
            const stores = [first, second].map((database) =>
              new DedupeKeys(database, logger, (cause) => cause as Error)
            );
            const until = Date.now() + 60_000;
            await Promise.all(stores.map(async (store, i) => {
              assert.equal(await store.has("f", "a", 0), false);
              await store.add("f", `k${i}`, 0, until, "answer");
            }));
            for (const store of stores) {
              assert.equal(await store.has("f", "k0", 0), true);
              assert.equal(await store.answer("f", "k1", 0), "answer");
              assert.equal(await store.has("f", "k1", until + 1), false);
            }
            await sql("drop table _weir_keys");
          }
        });
      });
    });
  },
);

await serviceTest(
  "postgres",
  "a migration that is already recorded needs no right to make tables",
  async () => {
    await withPostgres(async ({ url, sql }) => {
      const list = [migration("1.sql", "create table a (id int)")];
      await withOpen({ url, list }, () => Promise.resolve());
      const role = `weir_${crypto.randomUUID().replaceAll("-", "")}`;
      await sql(`create role ${role} login; grant select on _weir_migrations to ${role}`);
      try {
        const other = Object.assign(new URL(url), { username: role }).href;
        await withOpen({ url: other, list }, () => Promise.resolve());
        const more = [...list, migration("2.sql", "create table b (id int)")];
        await assert.rejects(withOpen({ url: other, list: more }, () => Promise.resolve()), {
          permanent: true,
          message: /permission denied for schema public; GRANT the connector's user what it needs/,
        });
      } finally {
        await sql(`drop owned by ${role}; drop role ${role}`);
      }
    });
  },
);
