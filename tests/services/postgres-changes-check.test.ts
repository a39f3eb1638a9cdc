/** What `check --connect` says of flows that changes of PostgreSQL start. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import type { BlockProblem } from "../../src/contract/problem.ts";
import { runtime } from "../faults/stage.ts";
import { PASSWORD } from "../support/database-server.ts";
import { withPostgres } from "../support/postgres.ts";
import { openStage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { makeSource, openChanges } from "./postgres-changes-support.ts";

const { server, changesTest } = await openChanges();
after(() => server?.end());

/** What a look finds, by the operation that it is about; `*` is the connector. */
async function look(
  options: Readonly<Record<string, unknown>>,
  ...operations: readonly string[]
): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  const { connector } = await makeSource(options, {});
  const sources = operations.map((operation) => ({
    operation,
    report({ attribute, code, message, hint }: BlockProblem) {
      assert.equal(attribute, "operation");
      found[operation] = [code, message, hint].filter(Boolean).join("; ");
    },
  }));
  try {
    await connector.probe([], sources);
  } catch (error) {
    assert.ok(error instanceof ConnectorError && error.permanent, String(error));
    found["*"] = error.message;
  }
  return found;
}

/** One problem of the connector. */
async function assertLacks(
  options: Readonly<Record<string, unknown>>,
  operation: string,
  message: RegExp,
): Promise<void> {
  const found = await look(options, operation);
  assert.deepEqual(Object.keys(found), ["*"]);
  assert.match(found["*"], message);
}

await changesTest(
  "a look names each flow whose table has no changes",
  `create table orders (id int primary key); create view recent as select * from orders;
   create table bare (note text); create unlogged table quick (id int);
   create table events (id int primary key) partition by range (id);
   create table events_1 partition of events default`,
  async ({ url, changes }) => {
    const options = { url, changes };
    const wrong = ["* ordrs", "INSERT recent", "UPDATE quick", "INSERT events_1"];
    const start = "cannot read changes:";
    assert.deepEqual(await look(options, ...wrong, "DELETE ordrs", "* events", "NOTIFY c"), {
      "* ordrs": `unknown-table; ${start} there is no table "ordrs"; did you mean "orders"?`,
      "DELETE ordrs": `unknown-table; ${start} there is no table "ordrs"; did you mean "orders"?`,
      "INSERT events_1":
        `${start} "events_1" is a partition of events, whose changes are told as those of events; name events; a filter can look at the row`,
      "INSERT recent":
        `${start} "recent" is a view, which has no changes of its own; name its table`,
      "UPDATE quick":
        `${start} "quick" is unlogged, so that the server tells of no changes; ALTER TABLE … SET LOGGED`,
    });
    // What one flow publishes concerns the table of the other.
    const { "INSERT bare": bare, ...others } = await look(options, "UPDATE orders", "INSERT bare");
    assert.match(bare, /"bare" has no primary key.*; give it one, or run: ALTER TABLE/);
    assert.deepEqual(others, {});
    assert.deepEqual(await look(options, "INSERT bare", "INSERT orders"), {});
  },
);

await changesTest(
  "a look finds each right that a start would need",
  "create table t (id int primary key); create table u (id int primary key)",
  async ({ changes, sql, name }) => {
    const role = `r${name.slice(-20)}`;
    await sql(`create role ${role} login password '${PASSWORD}'`);
    const options = { url: server!.url(name, role), changes };
    try {
      const make = /"weir_app" cannot be made: the user "r\w+" has no right to CREATE in the/;
      await assertLacks(options, "INSERT t", make);
      await sql(`grant create on database ${name} to ${role}`);
      const owner = /does not own the table public\.t; an administrator runs: CREATE PUBLICATION/;
      await assertLacks(options, "INSERT t", owner);
      await sql(`alter table t owner to ${role}`);
      await assertLacks(options, "INSERT t", /administrator runs: ALTER ROLE "r\w+" REPLICATION/);
      await sql(`alter role ${role} replication`);
      assert.deepEqual(await look(options, "INSERT t"), {});
      const letters = { ...options, changes: { ...changes, dead_letter: "letters" } };
      await assertLacks(
        letters,
        "INSERT t",
        /"letters" is not there, and the user .* CREATE TABLE/,
      );
      await sql("create publication weir_app for table u");
      const change =
        /cannot be changed: the user "r\w+" does not own it; .* runs: ALTER PUBLICATION/;
      await assertLacks(options, "INSERT t", change);
      await sql(`alter publication weir_app owner to ${role}; alter table t owner to postgres`);
      await assertLacks(options, "INSERT t", /does not own the table public\.t; .* ADD TABLE/);
      assert.deepEqual(await look(options, "INSERT u"), {});
      const slots = "select from pg_replication_slots where database = current_database()";
      assert.deepEqual(await sql(slots), []);
    } finally {
      await sql(`drop publication if exists weir_app`);
      await sql(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
    }
  },
);

await serviceTest(
  "postgres",
  "changes: a look at a server without wal_level = logical",
  () =>
    withPostgres(async ({ url }) => {
      await assertLacks({ url }, "INSERT t", /wal_level = replica.*SET wal_level = logical/);
      assert.deepEqual(await look({ url }, "NOTIFY c"), {});
    }),
);

await changesTest(
  "check --connect names the flow whose table is not there, and makes nothing",
  "create table t (id int primary key)",
  async ({ url, changes, sql }) => {
    const stage = await openStage(runtime);
    try {
      const file = (table: string) =>
        `connector "pg" {\n type = "database"\n driver = "postgres"\n url = ${
          JSON.stringify(url)
        }\n` +
        ` changes {\n slot = "${changes.slot}"\n }\n}\n` +
        `flow "f" {\n from {\n connector = "pg"\n operation = "* ${table}"\n }\n}\n`;
      await writeFile(join(stage.folder, "good.hcl"), file("t"));
      await writeFile(join(stage.folder, "bad.hcl"), file("tt"));
      const good = await stage.weir(["check", "--connect", "good.hcl"]);
      assert.deepEqual([good.code, good.stderr], [0, ""]);
      const bad = await stage.weir(["check", "--connect", "bad.hcl"]);
      assert.equal(bad.code, 1);
      assert.match(
        bad.stderr,
        /^error\[unknown-table\]: connector "pg" \(database\) cannot read changes: there is no table "tt"\n.*bad.hcl:12:14\n.*\n.*\^{6} did you mean "t"\?/,
      );
      assert.deepEqual(await sql("select from pg_publication"), []);
      // What is wrong at a start is said once, and ends it.
      const started = await stage.weir(["run", "bad.hcl"]);
      assert.equal(started.code, 3);
      assert.match(started.stderr, /there is no table "tt"/);
      stage.assertSound();
    } finally {
      await stage.end();
    }
  },
);
