/** What becomes of changes whose flows fail, and of what was not confirmed. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { FlowError } from "../../src/base/errors.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { failure, flow, refusing, until } from "../support/mq.ts";
import { keeping, makeSource, openChanges, withSource } from "./postgres-changes-support.ts";

const { server, changesTest } = await openChanges();
after(() => server?.end());

const TABLE = "create table t (id int primary key, note text)";
const idOf = ({ input }: FlowEvent) => Number(input.id);

await changesTest(
  "one that fails is delivered again in its place, and given up when that is no use",
  TABLE,
  async ({ url, changes, sql }) => {
    const seen: number[] = [];
    const fails = (event: FlowEvent) => {
      seen.push(idOf(event));
      if (event.input.id === 1 && seen.length < 3) throw failure();
      if (event.input.id === 3) return Promise.reject(failure());
      if (event.input.id === 4) throw failure(true);
    };
    const options = { url, changes: { ...changes, max_retries: 2, retry_delay: 20 } };
    await withSource(options, { "INSERT t": fails }, async ({ counts, log }) => {
      await sql("insert into t select n from generate_series(1, 5) n");
      await until("the last is there", () => seen.at(-1) === 5);
      assert.deepEqual(seen, [1, 1, 1, 2, 3, 3, 3, 4, 5]);
      assert.deepEqual(counts(), { consumed: 9, acked: 3, retried: 4, discarded: 2 });
      const errors = log.filter(([level]) => level === "error").map(([, line]) => line);
      assert.equal(errors.length, 2);
      assert.match(
        errors[0],
        /^change INSERT t at \w+\/\w+ was discarded: flow_failed: flow "test"/,
      );
    });
    // Nothing is left for the next.
    const { events, keep } = keeping();
    await withSource(options, { "INSERT t": keep }, async () => {
      await sql("insert into t values (6)");
      await until("it is there", () => events.length === 1);
      assert.deepEqual(events.map(idOf), [6]);
    });
  },
);

await changesTest(
  "all flows run; filters that refuse it settle it as a broker's message",
  TABLE,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    const options = { url, changes: { ...changes, retry_delay: 10 } };
    const flows = {
      "INSERT t": flow(keep, ({ input }) => input.id === 1),
      "* public.t": refusing("requeue", 1),
    };
    await withSource(options, flows, async ({ counts }) => {
      await sql("insert into t values (1), (2)");
      await until("both are settled", () => (counts().discarded ?? 0) === 1);
      assert.deepEqual(events.map(idOf), [1]);
      assert.deepEqual(counts(), { consumed: 3, acked: 1, retried: 1, discarded: 1 });
    });
  },
);

await changesTest(
  "what fails for good is kept in the table of dead letters",
  TABLE,
  async ({ url, changes, sql }) => {
    const fails = ({ input }: FlowEvent) => {
      const cause = new Error("no room in the shop");
      const options = { ref: "0badc0de", permanent: true, cause };
      if (input.id !== 2) throw new FlowError("test", "flow_failed", options);
    };
    const options = { url, changes: { ...changes, dead_letter: "failed.changes" } };
    await sql("create schema failed; alter table t replica identity full");
    await withSource(options, { "* t": fails }, async ({ counts, log }) => {
      await sql("insert into t values (1, 'a'), (2, 'b'); update t set note = 'c' where id = 1");
      await until("both are kept", () => counts().dead_lettered === 2);
      assert.deepEqual(counts(), { consumed: 3, acked: 1, dead_lettered: 2 });
      assert.match(String(log.at(-1)), /UPDATE t at .* moved to the table failed\.changes of dead/);
      const letters = await sql("select * from failed.changes order by id");
      for (const { at } of letters) assert.ok(at instanceof Date);
      const common = { table: "t", reason: letters[0].reason, flow: "test" };
      // The operator's own table has the cause, as the flow's log does.
      assert.equal(
        letters[0].reason,
        'flow_failed: flow "test" failed (ref 0badc0de): no room in the shop',
      );
      assert.deepEqual(letters.map(({ id: _, at: __, lsn: ___, ...rest }) => rest), [
        { ...common, operation: "INSERT", row: { id: 1, note: "a" }, old: null },
        { ...common, operation: "UPDATE", row: { id: 1, note: "c" }, old: { id: 1, note: "a" } },
      ]);
      // Made again where somebody has dropped it.
      await sql("drop table failed.changes; insert into t values (3, 'd')");
      await until("it is kept", () => counts().dead_lettered === 3);
      assert.equal((await sql("select from failed.changes")).length, 1);
    });
  },
);

await changesTest(
  "a change that cannot be kept is not confirmed, and nothing overtakes it",
  TABLE,
  async ({ url, changes, sql }) => {
    const seen: number[] = [];
    const fails = (event: FlowEvent) => {
      seen.push(idOf(event));
      if (event.input.id === 1) throw failure(true);
    };
    const options = { url, changes: { ...changes, dead_letter: "letters" } };
    await withSource(options, { "INSERT t": fails }, async ({ connector }) => {
      await sql('alter table letters rename "table" to which');
      await sql("insert into t values (1); insert into t values (2)");
      const says = /INSERT t at .* cannot be kept in the table of dead letters: column "table" of/;
      await until("it says so", () => says.test(String(connector.health())));
    });
    assert.deepEqual(seen, [1]);
    await sql("drop table letters");
    await withSource(options, { "INSERT t": fails }, async ({ counts, connector }) => {
      await until("all are there", () => counts().acked === 1);
      assert.deepEqual([seen, connector.health()], [[1, 1, 2], undefined]);
      assert.equal((await sql("select from letters")).length, 1);
    });
  },
);

await changesTest(
  "a shutdown ends the transaction that is being delivered; what follows is for the next",
  TABLE,
  async ({ url, changes, sql }) => {
    const seen: number[] = [];
    const arrived = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const source = await makeSource({ url, changes }, {
      "INSERT t": async (event) => {
        seen.push(idOf(event));
        arrived.resolve();
        await go.promise;
      },
    });
    await source.connector.start();
    await source.connector.consume();
    await sql("insert into t values (1), (2), (3); insert into t values (4)");
    await sql("insert into t values (5)");
    await arrived.promise;
    await sql("select pg_sleep(0.1)");
    const ending = source.end();
    go.resolve();
    await ending;
    assert.deepEqual(seen, [1, 2, 3, 4]);
    await withSource(
      { url, changes },
      { "INSERT t": (event) => void seen.push(idOf(event)) },
      async () => {
        await until("the last is there", () => seen.at(-1) === 5);
        assert.deepEqual(seen, [1, 2, 3, 4, 5]);
      },
    );
  },
);

await changesTest(
  "a shutdown does not wait for another delivery of what has failed",
  TABLE,
  async ({ url, changes, sql }) => {
    const options = { url, changes: { ...changes, retry_delay: 60_000 } };
    const began = performance.now();
    const failing = { "INSERT t": () => Promise.reject(failure()) };
    await withSource(options, failing, async ({ counts }) => {
      await sql("insert into t values (1)");
      await until("it has failed", () => counts().retried === 1);
    });
    assert.ok(performance.now() - began < 10_000);
    const { events, keep } = keeping();
    await withSource(
      options,
      { "INSERT t": keep },
      () => until("it comes again", () => events.length === 1),
    );
  },
);

await changesTest(
  "what was not confirmed comes again after a close without a shutdown",
  TABLE,
  async ({ url, changes, sql }) => {
    const held = Promise.withResolvers<void>();
    const { events, keep } = keeping();
    const source = await makeSource({ url, changes }, {
      "INSERT t": (event) => {
        keep(event);
        if (event.input.id === 2) return held.promise;
      },
    });
    await source.connector.start();
    await source.connector.consume();
    await sql("insert into t values (1)");
    await sql("insert into t values (2), (3)");
    await until("the second is there", () => events.length === 2);
    await source.drop();
    held.resolve();
    await withSource(
      { url, changes },
      { "INSERT t": keep },
      () => until("the last is there", () => idOf(events.at(-1)!) === 3),
    );
    assert.deepEqual(events.map(idOf), [1, 2, 2, 3]);
  },
);
