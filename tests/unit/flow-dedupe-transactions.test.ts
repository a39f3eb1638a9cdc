/** `dedupe` whose key is kept in the transaction of the flow's destinations. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connector, Transaction } from "../../src/contract/connector.ts";
import { Flow } from "../../src/flow/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock } from "../support/clock.ts";
import { eventOf, failureOf, probes } from "../support/flow.ts";
import { type Recorder, recorder } from "../support/log.ts";
import { configWith, withDatabase, write } from "./database-support.ts";

const SCHEMA = "CREATE TABLE orders (id INTEGER PRIMARY KEY, total); CREATE TABLE twins (total);";

const DEDUPE = 'dedupe {\n  key = "input.key"\n  ttl = "1m"\n  store = "db"\n}\n';
const TOTAL = 'transform { total = "input.total" }\n';
const to = (target: string) =>
  `to {\n  connector = "db"\n  target = "${target}"\n  atomic = true\n}\n`;
const ONE = DEDUPE.replace("dedupe", `${TOTAL}dedupe`) + to("orders");
const RESPONSE = 'response {\n  id = "output.id"\n  less = "input.total - 1"\n}\n';

interface Made {
  readonly flow: Flow;
  readonly log: Recorder;
  run(key: string, total: unknown): Promise<unknown>;
}

async function make(db: Connector, body: string, clock = new ManualClock()): Promise<Made> {
  const model = await loadConfig(configWith(body), { connectors: probes });
  const log = recorder();
  const flow = new Flow(model.flows[0], {
    connectors: new Map<string, Connector>([["b", { write: () => undefined }], ["db", db]]),
    constants: {},
    logger: log.logger,
    clock,
    random: () => 0.5,
  });
  const run = async (key: string, total: unknown) =>
    (await flow.run(eventOf({ key, total }))).response?.data;
  return { flow, log, run };
}

const count = async (db: Connector, table: string): Promise<unknown> =>
  await write(db as Parameters<typeof write>[0], { query: `SELECT count(*) AS n FROM ${table}` });

/** The connector, which calls `before` with each transaction when its writes are done. */
function through(db: Connector, before: (transaction: Transaction) => void): Connector {
  return {
    write: (request) => db.write!(request),
    dedupeStore: {
      ...db.dedupeStore!,
      // What is not in the transaction is lost, as with a process that ends.
      add: () => Promise.reject(new Error("is gone")),
    },
    transact: (work) =>
      db.transact!((transaction) =>
        work({
          write: (request) => transaction.write(request),
          get dedupeKeys() {
            before(transaction);
            return transaction.dedupeKeys;
          },
        })
      ),
  };
}

test("the key is kept with the write, and a repeated event gets the first answer", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const transactions: Transaction[] = [];
    const { run, log } = await make(
      through(db, (transaction) => transactions.push(transaction)),
      ONE + RESPONSE,
    );
    assert.deepEqual(await run("a", 1), { id: 1, less: 0 });
    assert.deepEqual(await run("a", 7), { id: 1, less: 0 });
    assert.deepEqual(await run("b", 2), { id: 2, less: 1 });
    assert.equal(transactions.length, 2);
    assert.deepEqual(await count(db, "orders"), [{ n: 2 }]);
    assert.deepEqual(await count(db, "_weir_keys"), [{ n: 2 }]);
    assert.deepEqual(log.records, []);
  });
});

test("where the transaction fails, neither is there", async () => {
  await withDatabase(SCHEMA, async (db) => {
    let fails = true;
    const broken = through(db, () => {
      if (fails) throw new Error("ends here");
    });
    const { run } = await make(broken, `${ONE}${to("twins")}${RESPONSE}`);
    assert.match(String((await failureOf(() => run("a", 1))).cause), /ends here/);
    assert.deepEqual(await count(db, "orders"), [{ n: 0 }]);
    fails = false;
    assert.deepEqual(await run("a", 2), { id: 1, less: 1 });
    assert.deepEqual(await count(db, "twins"), [{ n: 1 }]);
  });
});

test("a key that cannot be kept fails the flow, and nothing is written", async () => {
  const refuse = `${SCHEMA} CREATE TABLE _weir_keys (flow TEXT NOT NULL, key TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL, answer TEXT CHECK (answer IS NULL), PRIMARY KEY (flow, key));`;
  await withDatabase(refuse, async (db) => {
    const { run } = await make(db, ONE + RESPONSE);
    assert.match(String((await failureOf(() => run("a", 1))).cause), /dedupe: CHECK constraint/);
    assert.deepEqual(await count(db, "orders"), [{ n: 0 }]);
    // Without an answer it can.
    const other = await make(db, ONE);
    assert.equal(await other.run("a", 1), undefined);
    assert.deepEqual(await count(db, "orders"), [{ n: 1 }]);
    assert.deepEqual(await count(db, "_weir_keys"), [{ n: 1 }]);
  });
});

test("where the response fails, the destinations have the event, and the key stays", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const { run } = await make(db, ONE + RESPONSE);
    const failure = await failureOf(() => run("a", "x"));
    assert.match(String(failure.cause), /input\.total - 1/);
    assert.equal(failure.code, "flow_failed");
    assert.deepEqual(await count(db, "orders"), [{ n: 1 }]);
    assert.equal(await run("a", 1), undefined);
    assert.deepEqual(await count(db, "orders"), [{ n: 1 }]);
  });
});

test("a transaction that the connector repeats keeps the key and the answer of the last time", async () => {
  await withDatabase(SCHEMA, async (db) => {
    let calls = 0;
    const twice: Connector = {
      write: (request) => db.write(request),
      dedupeStore: db.dedupeStore,
      async transact(work) {
        const undone = new Error("undone");
        await Promise.resolve(db.transact(async (transaction) => {
          await work(transaction);
          throw undone;
        })).catch((error) => assert.equal(error, undone));
        calls++;
        return await db.transact(work);
      },
    };
    const { run } = await make(twice, ONE + RESPONSE);
    assert.deepEqual(await run("a", 1), { id: 1, less: 0 });
    assert.equal(calls, 1);
    assert.deepEqual(await write(db, { query: "SELECT total FROM orders" }), [{ total: 1 }]);
    assert.deepEqual(await run("a", 1), { id: 1, less: 0 });
    assert.deepEqual(await count(db, "orders"), [{ n: 1 }]);
  });
});

test("where a connector keeps none in a transaction, the key is kept after it", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const apart: Connector = {
      write: (request) => db.write(request),
      dedupeStore: db.dedupeStore,
      transact: (work) =>
        db.transact((transaction) => work({ write: (request) => transaction.write(request) })),
    };
    const { run } = await make(apart, ONE + RESPONSE);
    for (let n = 0; n < 2; n++) assert.deepEqual(await run("a", 1), { id: 1, less: 0 });
    assert.deepEqual(await count(db, "orders"), [{ n: 1 }]);
  });
});

test("with a destination elsewhere the key is kept after the last one", async () => {
  await withDatabase(SCHEMA, async (db) => {
    let asked = 0;
    const { run, log } = await make(
      through(db, () => asked++),
      `${ONE}${to("twins")}to { connector = "b" }\n`,
    );
    await run("a", 1);
    assert.equal(asked, 0);
    assert.match(log.records[0].text, /could not save a dedupe key/);
  });
});

test("keys that have expired are removed, also where all are kept in transactions", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const clock = new ManualClock();
    const { run, flow } = await make(db, ONE, clock);
    for (let n = 0; n < 3; n++) await run(`early ${n}`, n);
    await clock.advance(61_000);
    await run("late", 1);
    assert.deepEqual(await count(db, "_weir_keys"), [{ n: 1 }]);
    await run("early 0", 1);
    assert.deepEqual(await count(db, "orders"), [{ n: 5 }]);
    flow.close();
  });
});

test("a table of keys that is dropped meanwhile is made again", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const { run } = await make(db, ONE);
    await run("a", 1);
    await write(db, { query: "DROP TABLE _weir_keys" });
    await run("a", 2).catch(() => {});
    await run("b", 3);
    await run("b", 3);
    assert.deepEqual(await write(db, { query: "SELECT total FROM orders WHERE total = 3" }), [
      { total: 3 },
    ]);
  });
});

test("of two instances that handle one event at the same time, one gives the answer of the other", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const first = await make(db, ONE + RESPONSE);
    // It has looked for the key before the other one kept it.
    let looks = 0;
    const late = await make({
      write: (request) => db.write(request),
      transact: (work) => db.transact(work),
      dedupeStore: {
        ...db.dedupeStore,
        has: (...key) => ++looks > 1 && db.dedupeStore.has(...key),
      },
    }, ONE + RESPONSE);
    assert.deepEqual(await first.run("a", 1), { id: 1, less: 0 });
    assert.deepEqual(await late.run("a", 7), { id: 1, less: 0 });
    assert.equal(looks, 2);
    assert.deepEqual(await count(db, "orders"), [{ n: 1 }]);
    assert.deepEqual(late.log.records, []);
  });
});

test("a key that has expired is kept again in a transaction", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const clock = new ManualClock();
    const { run } = await make(db, ONE + RESPONSE, clock);
    assert.deepEqual(await run("a", 1), { id: 1, less: 0 });
    await clock.advance(60_000);
    assert.deepEqual(await run("a", 7), { id: 2, less: 6 });
    assert.deepEqual(await run("a", 9), { id: 2, less: 6 });
  });
});
