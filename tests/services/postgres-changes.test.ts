/** Changes of PostgreSQL as events: which ones, in what order, and what they have. */
import assert from "node:assert/strict";
import process from "node:process";
import { after } from "node:test";
import type { ConnectorCluster } from "../../src/contract/cluster.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { until } from "../support/mq.ts";
import { keeping, makeSource, openChanges, withSource } from "./postgres-changes-support.ts";

const { server, changesTest } = await openChanges();
after(() => server?.end());

const inputs = (events: readonly FlowEvent[]) =>
  events.map(({ input: { operation, row, old } }) => ({ operation, row, old }));

await changesTest(
  "each row that is inserted, updated or deleted is an event, in the order of the commits",
  "create table orders (id int primary key, total numeric, note text)",
  async ({ url, changes, sql }) => {
    const all = keeping();
    const inserted = keeping();
    const flows = { "* orders": all.keep, "INSERT public.orders": inserted.keep };
    await withSource({ url, changes }, flows, async ({ counts }) => {
      await sql("insert into orders values (1, 10.50, 'a')");
      await sql("begin; update orders set note = 'b'; update orders set id = 2; commit");
      await sql("truncate orders; insert into orders values (3, 1, null); delete from orders");
      await until("all are there", () => all.events.length === 5);
      const row = { id: 1, total: "10.50", note: "a" };
      assert.deepEqual(inputs(all.events), [
        { operation: "INSERT", row, old: null },
        { operation: "UPDATE", row: { ...row, note: "b" }, old: null },
        { operation: "UPDATE", row: { ...row, id: 2, note: "b" }, old: { id: 1 } },
        { operation: "INSERT", row: { id: 3, total: "1", note: null }, old: null },
        { operation: "DELETE", row: { id: 3 }, old: { id: 3 } },
      ]);
      assert.deepEqual(inserted.events, [all.events[0], all.events[3]]);
      const [{ operation, payload, input, metadata }] = all.events;
      assert.equal(operation, "INSERT orders");
      assert.deepEqual(payload, row);
      const { lsn, committed_at: at, ...others } = input;
      assert.deepEqual(others, {
        ...row,
        row,
        old: null,
        operation: "INSERT",
        table: "orders",
        unchanged: [],
      });
      assert.match(String(lsn), /^[0-9A-F]+\/[0-9A-F]+$/);
      assert.match(String(at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.ok(Math.abs(Date.parse(String(at)) - Date.now()) < 60_000);
      assert.ok([...metadata ?? []].every((name) => name in input));
      assert.deepEqual(counts(), { consumed: 5, acked: 5 });
    });
  },
);

await changesTest(
  "what is known of the old row is what the replica identity says",
  `create table keyed (id int primary key, a text);
   create table whole (a text, b text); alter table whole replica identity full;
   create table indexed (a int not null, b text);
   create unique index i on indexed (a); alter table indexed replica identity using index i`,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    const flows = { "* keyed": keep, "* whole": keep, "* indexed": keep };
    await withSource({ url, changes }, flows, async () => {
      await sql(`insert into keyed values (1, 'x'); update keyed set a = 'y'; delete from keyed;
        insert into whole values ('x', null); update whole set b = 'y'; delete from whole;
        insert into indexed values (1, 'x'); update indexed set a = 2; delete from indexed`);
      await until("all are there", () => events.length === 9);
      const old = (table: string) =>
        events.filter(({ input }) => input.table === table).map(({ input }) => input.old);
      assert.deepEqual(old("keyed"), [null, null, { id: 1 }]);
      assert.deepEqual(old("whole"), [null, { a: "x", b: null }, { a: "x", b: "y" }]);
      assert.deepEqual(old("indexed"), [null, { a: 1 }, { a: 2 }]);
    });
  },
);

await changesTest(
  "large values that an update does not touch are taken from the old row, or named as unchanged",
  `create table keyed (id int primary key, n int, big text);
   create table whole (id int, n int, big text); alter table whole replica identity full;
   alter table keyed alter big set storage external; alter table whole alter big set storage external`,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    const big = "x".repeat(20_000);
    await sql("insert into keyed values (1, 1, $1)", [big]);
    await sql("insert into whole values (1, 1, $1)", [big]);
    await withSource({ url, changes }, { "UPDATE keyed": keep, "UPDATE whole": keep }, async () => {
      await sql("update keyed set n = 2; update whole set n = 2");
      await until("both are there", () => events.length === 2);
      const [keyed, whole] = events.map(({ input }) => input);
      assert.deepEqual([keyed.row, keyed.unchanged], [{ id: 1, n: 2 }, ["big"]]);
      assert.deepEqual([whole.row, whole.unchanged], [{ id: 1, n: 2, big }, []]);
    });
  },
);

await changesTest(
  "columns, names and schemas that are out of the ordinary",
  `create schema "My Sales"; create table "My Sales"."a ""b""" ("__proto__" text, old int, "row" int);
   create table plain (id int primary key); create schema my; create table my.plain (id int primary key);
   create table "my.plain" (id int primary key);
   create table "Plain" (id int primary key)`,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    const flows = { 'INSERT My Sales.a "b"': keep, "INSERT Plain": keep };
    const [inSchema, withPoint] = [keeping(), keeping()];
    Object.assign(flows, {
      "INSERT my.plain": inSchema.keep,
      "INSERT public.my.plain": withPoint.keep,
    });
    await withSource({ url, changes }, flows, async () => {
      await sql(`insert into "My Sales"."a ""b""" values ('p', 1, 2)`);
      await sql(`insert into plain values (1); insert into "Plain" values (2);
        insert into my.plain values (3); insert into "my.plain" values (4)`);
      await until("both are there", () => events.length === 2);
      const [{ payload, input, operation }, plain] = events;
      assert.equal(operation, 'INSERT My Sales.a "b"');
      assert.equal(input.table, 'My Sales.a "b"');
      assert.deepEqual(Object.entries(payload as object), [["__proto__", "p"], ["old", 1], [
        "row",
        2,
      ]]);
      assert.equal(Object.getPrototypeOf(payload), Object.prototype);
      // Metadata wins; the row is there as it is.
      assert.deepEqual([input.old, input.row], [null, payload]);
      assert.deepEqual(plain.payload, { id: 2 });
      await until("the others are", () => withPoint.events.length > 0);
      const named = [inSchema, withPoint].map(({ events }) =>
        events.map(({ input }) => [input.table, input.id])
      );
      assert.deepEqual(named, [[["my.plain", 3]], [["public.my.plain", 4]]]);
    });
  },
);

await changesTest(
  "a partitioned table's changes are its own",
  `create table events (id int, day date, primary key (id, day)) partition by range (day);
   create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01')`,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    await withSource({ url, changes }, { "* events": keep }, async () => {
      await sql("insert into events values (1, '2026-01-05'); delete from events");
      await until("both are there", () => events.length === 2);
      assert.deepEqual(events.map(({ operation }) => operation), [
        "INSERT events",
        "DELETE events",
      ]);
    });
  },
);

await changesTest(
  "a column that is renamed, or gets a new type, is read as it was at the time of the change",
  "create table t (id int primary key, a text)",
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    await withSource({ url, changes }, { "INSERT t": keep }, async () => {
      await sql("insert into t values (1, 'x')");
      await sql("alter table t rename a to b; insert into t values (2, 'y')");
      await sql(`create type mood as enum ('good', 'bad'); create domain whole as int;
        alter table t add m mood[], add w whole[];
        insert into t values (3, 'z', '{good,bad}', '{1,2}')`);
      await sql("alter table t drop b; insert into t values (4, null, null)");
      await until("all are there", () => events.length === 4);
      assert.deepEqual(events.map(({ payload }) => payload), [
        { id: 1, a: "x" },
        { id: 2, b: "y" },
        { id: 3, b: "z", m: ["good", "bad"], w: [1, 2] },
        { id: 4, m: null, w: null },
      ]);
    });
  },
);

await changesTest(
  "a transaction of 20 000 rows comes in order, and is not held in memory",
  "create table t (id int primary key, note text)",
  async ({ url, changes, sql }) => {
    let last = 0;
    let inOrder = true;
    let most = 0;
    const wait = Promise.withResolvers<void>();
    const take = (event: FlowEvent) => {
      const id = Number(event.input.id);
      inOrder &&= id === last + 1;
      last = id;
      if (id === 1) return wait.promise;
      if (id % 500 === 0) return new Promise<void>((resolve) => setTimeout(resolve));
    };
    await withSource({ url, changes }, { "INSERT t": take }, async ({ connector, counts }) => {
      const before = process.memoryUsage().rss;
      await sql("insert into t select n, repeat('x', 8000) from generate_series(1, 20000) n");
      await until("the first is there", () => last === 1);
      // Time in which a reader without a bound would have read 100 MB.
      for (let left = 15; left > 0; left--) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        most = Math.max(most, process.memoryUsage().rss - before);
      }
      wait.resolve();
      await until("the last is there", () => connector.counts().acked === 20_000, 60_000);
      assert.ok(inOrder);
      assert.ok(most < 40e6, `it took ${most} bytes`);
      assert.deepEqual(counts(), { consumed: 20_000, acked: 20_000 });
    });
  },
);

await changesTest(
  "a slot whose tables are idle moves on with the server's log",
  "create table t (id int primary key); create table other (note text)",
  async ({ url, changes, sql, name }) => {
    const position = async () => {
      const [{ at }] = await sql(
        "select confirmed_flush_lsn::text as at from pg_replication_slots " +
          "where slot_name = $1",
        [name],
      );
      return String(at);
    };
    await withSource({ url, changes }, { "INSERT t": () => {} }, async () => {
      const before = await position();
      await sql("insert into other select repeat('x', 100) from generate_series(1, 1000)");
      const [{ at }] = await sql("select pg_current_wal_lsn()::text as at");
      await until("it has moved", async () => {
        const [{ reached }] = await sql("select $1::pg_lsn >= $2::pg_lsn as reached", [
          await position(),
          at,
        ]);
        return reached === true;
      });
      assert.notEqual(await position(), before);
    });
  },
);

await changesTest(
  "a table that is added later is published from then on",
  "create table a (id int primary key); create table b (id int primary key)",
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    await withSource({ url, changes }, { "INSERT a": keep }, () => {});
    await sql("insert into a values (1); insert into b values (1)");
    await withSource({ url, changes }, { "* a": keep, "* b": keep }, async ({ log }) => {
      await sql("insert into b values (2); delete from a");
      await until("all are there", () => events.length === 3);
      assert.deepEqual(events.map(({ operation }) => operation), [
        "INSERT a",
        "INSERT b",
        "DELETE a",
      ]);
      assert.deepEqual(log.filter(([level]) => level !== "info"), []);
    });
  },
);

await changesTest(
  "nothing is made by a check",
  "create table t (id int primary key)",
  async ({ url, changes, sql }) => {
    const source = await makeSource({ url, changes }, { "INSERT t": () => {} });
    await source.connector.prepare();
    assert.deepEqual(await sql("select pubname from pg_publication"), []);
    await source.connector.close();
  },
);

await changesTest(
  "every type is read as a query reads it",
  `create type mood as enum ('good', 'bad'); create domain even as int check (value % 2 = 0);
   create type pair as (a int, b text);
   create table every (id int primary key, b boolean, i2 smallint, i8 bigint, n numeric, f4 real, f8 float8,
     t text, c char(4), v varchar(9), y bytea, d date, ts timestamp, tz timestamptz, tm time, iv interval,
     u uuid, j json, jb jsonb, m mood, e even, p pair, ia int[], ta text[], ja jsonb[], ma mood[],
     r int4range, ip inet, x xml, pt point, bits bit(3), mo money)`,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    await withSource({ url, changes }, { "INSERT every": keep }, async ({ connector }) => {
      await sql(
        `insert into every values (1, true, -5, 9007199254740993, 12.50, 1.5, 'NaN', 'ä"''\\n🙂', 'ab', '',
        '\\x00ff', '2026-01-02', '2026-01-02 03:04:05.123456', '2026-01-02 03:04:05+02', '03:04:05', '1 day 2:03',
        '0b0e3c1c-5f0a-4e57-9d8e-0a8a2b7d5c11', '{"a": [1, null]}', '{"b": 12345678901234567890}', 'good', 4,
        '(1,"x y")', '{{1,2},{3,null}}', '{"a,b",null,"NULL","\\"q\\""}', array['{"a":1}'::jsonb], '{good,bad}',
        '[1,5)', '10.0.0.1/8', '<a/>', '(1,2)', '101', '12.34')`,
      );
      await sql(
        "insert into every (id, f8, d, tz) values (2, '-Infinity', 'infinity', '-infinity')",
      );
      await until("both are there", () => events.length === 2);
      const rows = await connector.write({
        operation: undefined,
        target: undefined,
        payload: {},
        options: { query: "SELECT * FROM every ORDER BY id", rows: "all" },
        scope: {},
        event: undefined,
      });
      assert.deepEqual(events.map(({ payload }) => payload), rows);
      assert.equal(Object.keys(events[0].payload as object).length, 32);
    });
  },
);

await changesTest(
  "of several workers the leader reads; another one when it takes over",
  "create table t (id int primary key)",
  async ({ url, changes, sql }) => {
    const acts: ((takesOver: boolean) => Promise<void>)[] = [];
    const cluster = (leader: boolean) => ({
      leader,
      whenLeader(act: (takesOver: boolean) => Promise<void>) {
        if (leader) return act(false);
        acts.push(act);
        return Promise.resolve();
      },
      readOnce: (_: string, read: () => Promise<unknown>) => read(),
    });
    const [one, two] = [keeping(), keeping()];
    const make = (keep: (event: FlowEvent) => void, leader: boolean) =>
      makeSource({ url, changes }, { "INSERT t": keep, "NOTIFY c": keep }, {
        cluster: cluster(leader) as unknown as ConnectorCluster,
      });
    const other = await make(two.keep, false);
    await other.connector.start();
    await other.connector.consume();
    // It has made nothing, and is well.
    assert.deepEqual(await sql("select from pg_publication"), []);
    assert.equal(other.connector.health(), undefined);
    const leader = await make(one.keep, true);
    await leader.connector.start();
    await leader.connector.consume();
    await until("it listens", () => leader.connector.health() === undefined);
    await sql("insert into t values (1); notify c");
    await until("the leader has both", () => one.events.length === 2);
    await leader.end();
    await acts[0](true);
    await until("the other listens", () => other.connector.health() === undefined);
    await sql("insert into t values (2); notify c");
    await until("the other has both", () => two.events.length === 2);
    // What was sent to the channel between them is missing.
    assert.deepEqual(other.counts(), { consumed: 2, acked: 2, gaps: 1 });
    await other.end();
  },
);
