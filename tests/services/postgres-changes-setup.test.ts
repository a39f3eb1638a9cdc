/** What must be there before changes of PostgreSQL can be read, and what is said where it is not. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { PASSWORD } from "../support/database-server.ts";
import { failure, until } from "../support/mq.ts";
import { withPostgres } from "../support/postgres.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { keeping, makeSource, openChanges, withSource } from "./postgres-changes-support.ts";

const { server, changesTest } = await openChanges();
after(() => server?.end());

const nothing = () => {};

/** The error of a start, or of what a start does while another service runs. */
async function refusal(
  options: Readonly<Record<string, unknown>>,
  operation: string,
  step: "start" | "prepare" = "start",
): Promise<ConnectorError> {
  const { connector } = await makeSource(options, { [operation]: nothing });
  try {
    await connector[step]();
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  } finally {
    await connector.close();
  }
  return assert.fail("it started");
}

/** An error that nobody but an administrator can do something about. */
async function assertRefused(
  options: Readonly<Record<string, unknown>>,
  operation: string,
  message: RegExp,
): Promise<void> {
  for (const step of ["prepare", "start"] as const) {
    const error = await refusal(options, operation, step);
    assert.match(error.message, message);
    assert.equal(error.permanent, true, error.message);
  }
}

await serviceTest(
  "postgres",
  "changes: a server without wal_level = logical says so",
  () =>
    withPostgres(async ({ url }) => {
      await assertRefused(
        { url },
        "INSERT t",
        /wal_level = replica.*SET wal_level = logical.*restart/,
      );
      // It listens to notifications all the same.
      const source = await makeSource({ url }, { "NOTIFY c": nothing });
      await source.connector.start();
      await source.end();
    }, { schema: "create table t (id int primary key)" }),
);

await changesTest(
  "tables that have no changes, or no name",
  `create table orders (id int primary key); create view recent as select * from orders;
   create materialized view kept as select * from orders; create unlogged table quick (id int);
   create table bare (note text); create schema other; create table other.hidden (id int primary key)`,
  async ({ url, changes, sql }) => {
    const options = { url, changes };
    await assertRefused(options, "INSERT oders", /no table "oders"; did you mean "orders"\?/);
    await assertRefused(options, "INSERT hidden", /no table "hidden"$/);
    await assertRefused(
      options,
      "* other.hiden",
      /no table "other.hiden"; did you mean "other.hidden"\?/,
    );
    await assertRefused(options, "INSERT recent", /"recent" is a view.*name its table/);
    await assertRefused(options, "INSERT kept", /"kept" is a materialized view/);
    await assertRefused(options, "INSERT quick", /"quick" is unlogged.*SET LOGGED/);
    const advice =
      /"public"."bare" has no primary key.*ALTER TABLE "public"."bare" REPLICA IDENTITY FULL/;
    await assertRefused(options, "DELETE bare", advice);
    // Without updates and deletions nobody is disturbed.
    const { events, keep } = keeping();
    await withSource(options, { "INSERT bare": keep }, async () => {
      await sql("insert into bare values ('a'); update bare set note = 'b'; delete from bare");
      await until("it is there", () => events.length === 1);
    });
    await assertRefused(options, "UPDATE orders", advice);
    assert.deepEqual(await sql("update bare set note = 'c'"), []);
  },
);

await changesTest(
  "a user without the right to stream, or to publish, is told what an administrator runs",
  `create table t (id int primary key); create table u (id int primary key)`,
  async ({ changes, sql, name }) => {
    const role = `r${name.slice(-20)}`;
    await sql(
      `create role ${role} login password '${PASSWORD}'; grant create on schema public to ${role}`,
    );
    try {
      const options = { url: server!.url(name, role), changes };
      await sql(`grant create on database ${name} to ${role}; alter table t owner to ${role}`);
      await assertRefused(options, "INSERT t", new RegExp(`ALTER ROLE "${role}" REPLICATION`));
      assert.deepEqual(await sql("select from pg_publication"), []);
      await sql(`alter role ${role} replication`);
      const error = await refusal(options, "INSERT u");
      assert.match(
        error.message,
        /administrator runs: CREATE PUBLICATION "weir_app" FOR TABLE "public"."u"/,
      );
      assert.equal(error.permanent, true);
      await withSource(options, { "INSERT t": nothing }, nothing);
      const later = await refusal(options, "INSERT u");
      assert.match(
        later.message,
        /administrator runs: ALTER PUBLICATION "weir_app" ADD TABLE "public"."u"/,
      );
      // What an administrator has made is taken as it is.
      await sql(
        "alter publication weir_app add table u; alter publication weir_app owner to postgres",
      );
      const { events, keep } = keeping();
      await withSource(options, { "INSERT u": keep }, async () => {
        await sql("insert into u values (1)");
        await until("it is there", () => events.length === 1);
      });
    } finally {
      await sql(`drop owned by ${role}`);
      await sql(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
    }
  },
);

await changesTest(
  "a slot of something else is left alone",
  "create table t (id int primary key)",
  async ({ url, changes, sql, name }) => {
    await sql("select pg_create_logical_replication_slot($1, 'test_decoding')", [name]);
    await assertRefused(
      { url, changes },
      "INSERT t",
      /slot "weir_test_\w+" is one of another.*changes \{ slot/,
    );
    await sql("select pg_drop_replication_slot($1)", [name]);
    const bad = await refusal({ url, changes: { ...changes, slot: "No Slot" } }, "INSERT t");
    assert.match(bad.message, /slot "No Slot" cannot be made.*lower case letters, digits and _/);
    assert.equal(bad.permanent, true);
  },
);

await changesTest(
  "a slot is made when the transactions before it have ended; the start does not wait for them",
  "create table t (id int primary key)",
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    await sql("begin; insert into t values (1)");
    // It has its own connection in a transaction.
    const began = performance.now();
    await withSource({ url, changes }, { "INSERT t": keep }, async ({ connector, log }) => {
      assert.ok(performance.now() - began < 9000);
      assert.match(String(connector.health()), /waits until the transactions end/);
      assert.match(log.map(([, line]) => line).join("\n"), /waits until the transactions end/);
      await sql("commit");
      await until("it reads", () => connector.health() === undefined);
      await sql("insert into t values (2)");
      await until("it is there", () => events.length === 1);
      assert.deepEqual(events[0].payload, { id: 2 });
    });
  },
);

await changesTest(
  "a table of dead letters is looked for first, and made only where it is missing, before all else",
  "create table t (id int primary key); create schema kept; create table kept.other (note text)",
  async ({ changes, sql, name }) => {
    const role = `r${name.slice(-20)}`;
    await sql(
      `create role ${role} login replication password '${PASSWORD}'; alter table t owner to ${role};
       grant create on database ${name} to ${role}`,
    );
    const keepingIn = (table: string) => ({
      url: server!.url(name, role),
      changes: { ...changes, dead_letter: table },
    });
    try {
      const advice =
        /letters "kept.letters" is not there.*GRANT CREATE, USAGE ON SCHEMA "kept" TO "r\w+"; or makes it: (CREATE TABLE .*); GRANT INSERT ON "kept"."letters" TO "r\w+"; GRANT USAGE/;
      await assertRefused(keepingIn("kept.letters"), "INSERT t", advice);
      await assertRefused(keepingIn("no.letters"), "INSERT t", /schema "no".*CREATE SCHEMA "no"/);
      await assertRefused(keepingIn("letters"), "INSERT t", /SCHEMA "public".*"public"."letters"/);
      const { message } = await refusal(keepingIn("kept.letters"), "INSERT t");
      await sql(`${advice.exec(message)?.[1]}; grant usage on schema kept to ${role}`);
      const insert = /cannot be written.*runs: GRANT INSERT ON "kept"."letters" TO "r\w+"$/;
      await assertRefused(keepingIn("kept.letters"), "INSERT t", insert);
      await assertRefused(
        keepingIn("kept.other"),
        "INSERT t",
        /lacks "table", "operation".*drop it/,
      );
      // Nothing is made before all can be.
      assert.deepEqual(await sql("select from pg_publication"), []);
      const slots = "select from pg_replication_slots where database = current_database()";
      assert.deepEqual(await sql(slots), []);
      await sql(`grant insert on kept.letters to ${role}`);
      const failing = () => {
        throw failure(true);
      };
      await withSource(keepingIn("kept.letters"), { "INSERT t": failing }, async ({ counts }) => {
        await sql("insert into t values (1)");
        await until("it is kept", () => counts().dead_lettered === 1);
        assert.equal((await sql("select from kept.letters")).length, 1);
      });
    } finally {
      await sql(`alter table t owner to postgres; drop publication if exists weir_app`);
      await sql(`drop owned by ${role}; drop role ${role}`);
    }
  },
);

await changesTest(
  "a table of dead letters that cannot be made is reported where the server was away at the start",
  "create table t (id int primary key)",
  async ({ url, changes, sql }) => {
    const proxy = await Proxy.open(server!.port);
    proxy.refuse();
    const options = {
      url: Object.assign(new URL(url), { port: String(proxy.port) }).href,
      changes: { ...changes, dead_letter: "kept.letters" },
    };
    try {
      await withSource(options, { "INSERT t": nothing }, async ({ connector }) => {
        await proxy.accept();
        const says = /table of dead letters "kept.letters".*runs: CREATE SCHEMA "kept"$/;
        await until("it says so", () => says.test(String(connector.health())));
        await sql("create schema kept");
        await until("it is well", () => connector.health() === undefined);
      });
    } finally {
      proxy.close();
    }
  },
);
