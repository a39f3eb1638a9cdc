/** PostgreSQL: statements, migrations and errors through the connector. */
import assert from "node:assert/strict";
import { probeDatabase } from "../../src/connectors/database/drivers/postgres/mod.ts";
import type { ConnectorError } from "../../src/base/errors.ts";
import { recorder } from "../support/log.ts";
import { withPostgres } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { write } from "../unit/database-support.ts";
import { connector, migration, until, withOpen } from "./postgres-support.ts";

const TABLE =
  `create table orders (id serial primary key, name text unique, total int check (total >= 0));
create schema shop; create table shop.items (id int primary key, "Na""me" text)`;

await serviceTest("postgres", "a row is inserted, changed, read and deleted", async () => {
  await withPostgres(async ({ url, sql }) => {
    const { db } = connector({ url });
    await db.start();
    try {
      const row = await write(db, { target: "orders", payload: { name: "a", total: 1 } });
      assert.deepEqual(row, { id: 1, name: "a", total: 1 });
      const changed = await write(db, {
        operation: "UPDATE",
        target: "orders",
        key: ["id"],
        payload: { id: 1, total: 2 },
      });
      assert.deepEqual(changed, { id: 1, name: "a", total: 2 });
      const read = await write(db, {
        query: "select total::text as total from orders where id = :id",
        payload: { id: 1 },
      });
      assert.deepEqual(read, [{ total: "2" }]);
      const done = await write(db, { query: "update orders set total = 3", payload: {} });
      assert.deepEqual(done, { changes: 1, last_insert_id: null });
      const items = await write(db, {
        operation: "UPSERT",
        target: "shop.items",
        key: ["id"],
        payload: { id: 1, 'Na"me': "x" },
      });
      assert.deepEqual(items, { id: 1, 'Na"me': "x" });
      const gone = { operation: "DELETE", target: "orders", key: ["id"], payload: { id: 1 } };
      assert.deepEqual(await write(db, gone), { id: 1, name: "a", total: 3 });
      assert.equal(await write(db, gone), null);
      assert.deepEqual(await sql("select count(*)::int as n from orders"), [{ n: 0 }]);
      assert.equal(db.health(), undefined);
    } finally {
      await db.close();
    }
  }, { schema: TABLE });
});

await serviceTest("postgres", "what is refused says why, and what is meant", async () => {
  await withPostgres(async ({ url, sql }) => {
    const { db } = connector({ url });
    await db.start();
    await sql("create table _weir_migrations (name text, total int)");
    const refused = async (
      message: RegExp,
      request: Parameters<typeof write>[1],
      permanent = true,
    ) => {
      const error = await write(db, request).then(
        () => assert.fail("was not refused"),
        (error: ConnectorError) => error,
      );
      assert.match(error.message, message);
      assert.equal(error.permanent, permanent, error.message);
    };
    try {
      const payload = { name: "a", total: 1 };
      await write(db, { target: "orders", payload });
      await refused(/unique constraint "orders_name_key" of table "orders"/, {
        target: "orders",
        payload,
      });
      await refused(/relation "orders" violates check constraint "orders_total_check"/, {
        target: "orders",
        payload: { total: -1 },
      });
      await refused(/there is no table "order"; did you mean "orders"\?/, {
        target: "order",
        payload,
      });
      await refused(/there is no table "shop.item"; did you mean "shop.items"\?/, {
        target: "shop.item",
        payload,
      });
      await refused(/there is no table "a.shop.items"/, { target: "a.shop.items", payload });
      await refused(/there is no column "nam" in table "orders"; did you mean "name"\?/, {
        target: "orders",
        payload: { nam: "a" },
      });
      await refused(/relation "ordrs" does not exist; did you mean "orders"\?/, {
        query: "select * from ordrs",
        payload: {},
      });
      await refused(/column "totl" does not exist; did you mean "total"\?/, {
        query: "update orders set name = 'b' where totl = 1",
        payload: {},
      });
      // The server numbers the parameters, which nobody has written.
      await refused(
        /determine data type of parameter ":status"; write CAST\(:status AS text\), or another type$/,
        {
          query: "select :n::int as n where :status is null",
          payload: { n: 1, status: null },
        },
      );
      await refused(/inconsistent types .* parameter ":name"; write CAST\(:name AS text\), or/, {
        query: "update orders set name = :name, total = :name",
        payload: { name: "1" },
      });
      await refused(/division by zero/, { query: "select 1 / 0", payload: {} });
      await refused(/its key must be the primary key or unique/, {
        operation: "UPSERT",
        target: "orders",
        key: ["total"],
        payload,
      });
      await refused(/there is no table "public._weir_migrations"/, {
        target: "public._weir_migrations",
        payload,
      });
    } finally {
      await db.close();
    }
  }, { schema: TABLE });
});

await serviceTest("postgres", "a user without rights is told to GRANT them", async () => {
  await withPostgres(async ({ url, sql }) => {
    const role = `weir_${crypto.randomUUID().replaceAll("-", "")}`;
    await sql(`create role ${role} login`);
    const { db } = connector({ url: Object.assign(new URL(url), { username: role }).href });
    try {
      await db.start();
      await assert.rejects(write(db, { target: "orders", payload: { total: 1 } }), {
        permanent: true,
        message: /permission denied for table orders; GRANT the connector's user what it needs/,
      });
    } finally {
      await db.close();
      await sql(`drop role ${role}`);
    }
  }, { schema: TABLE });
});

await serviceTest("postgres", "two that start together apply each migration once", async () => {
  await withPostgres(async ({ url, sql }) => {
    const list = [
      migration("1.sql", "create table a (id int); select pg_sleep(0.3); create table b (id int);"),
      migration("2.sql", "insert into a values (1);\ndo $$ begin perform 1; end $$;"),
    ];
    const open = () => withOpen({ url, list }, (database) => Promise.resolve(database.describe()));
    const all = await Promise.all([open(), open(), open()]);
    for (const tables of all) assert.deepEqual(tables, ["_weir_migrations", "a", "b"]);
    assert.deepEqual(await sql("select count(*)::int as n from a"), [{ n: 1 }]);
    const applied = await sql("select name, checksum from _weir_migrations order by name");
    assert.deepEqual(applied, list.map(({ name, checksum }) => ({ name, checksum })));
  });
});

await serviceTest("postgres", "a dump that empties the search path is a migration", async () => {
  await withPostgres(async ({ url }) => {
    const list = [
      migration(
        "1.sql",
        "select pg_catalog.set_config('search_path', '', false); create table public.a (id int);",
      ),
      migration("2.sql", "create table b (id int);"),
    ];
    await withOpen({ url, list }, async (database) => {
      assert.deepEqual(await database.describe(), ["_weir_migrations", "a", "b"]);
    });
  });
});

await serviceTest(
  "postgres",
  "a refused migration is final, names its line, leaves nothing",
  async () => {
    await withPostgres(async ({ url, sql }) => {
      const refused = async (message: RegExp, text: string) => {
        const list = [migration("1.sql", text)];
        await assert.rejects(withOpen({ url, list }, () => Promise.resolve()), {
          code: "migration-failed",
          permanent: true,
          message,
        });
      };
      await refused(
        /migration "1.sql" was refused in line 3: relation "nosuch" does not exist/,
        "create table a (name text default 'äöü😀');\n\ninsert into nosuch values (1);",
      );
      await refused(/migration "1.sql" must not COMMIT/, "create table a (id int);\ncommit;");
      await refused(
        /was refused: .*violates foreign key constraint "b_a_fkey"/,
        "create table a (id int primary key);\n" +
          "create table b (a int references a deferrable initially deferred);\n" +
          "insert into b values (1);",
      );
      assert.deepEqual(await sql("select to_regclass('a') as a"), [{ a: null }]);
      const list = [migration("1.sql", "create table a (id int);")];
      await withOpen({ url, list }, () => Promise.resolve());
      await refused(/was changed after it was applied/, "create table a (id bigint);");
    });
  },
);

await serviceTest("postgres", "a start that waits for another's migrations says so", async () => {
  await withPostgres(async ({ url, sql }) => {
    await sql("select pg_advisory_lock(1466263922, 1)");
    const { db, records } = connector({ url });
    const list = [migration("1.sql", "create table a (id int);")];
    const opened = withOpen({ url, list }, async (database, log) => {
      const tables = await database.describe();
      return { tables, log };
    });
    await until(
      "it waits",
      async () =>
        (await sql("select 1 from pg_locks where locktype = 'advisory' and not granted")).length >
          0,
    );
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await sql("select pg_advisory_unlock(1466263922, 1)");
    const { tables, log } = await opened;
    assert.deepEqual(tables, ["_weir_migrations", "a"]);
    assert.match(log.records[0].text, /waiting for another instance/);
    await db.close();
    assert.deepEqual(records, []);
  });
});

await serviceTest(
  "postgres",
  "probing says the version and what waits, and changes nothing",
  async () => {
    await withPostgres(async ({ url, sql, name }) => {
      const context = {
        name: "db",
        options: { driver: "postgres", url },
        migrations: [migration("1.sql", "create table a (id int);")],
        logger: recorder().logger,
      };
      const nothing = () => Promise.resolve({ prepared: 0, waiting: 0 });
      const found = await probeDatabase(context, nothing);
      assert.match(
        found,
        /^PostgreSQL \d+(\.\d+)?, database "[^"]+" at 127.0.0.1:5432; 1 migration/,
      );
      assert.ok(found.includes(name), found);
      assert.deepEqual(await sql("select to_regclass('_weir_migrations') as t"), [{ t: null }]);
    });
  },
);
