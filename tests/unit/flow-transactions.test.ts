/** Neighbouring destinations with `atomic = true`: one transaction. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/base/clock.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import type { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import type { Connector, WriteRequest } from "../../src/contract/connector.ts";
import { Flow } from "../../src/flow/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { eventOf, failureOf, probes } from "../support/flow.ts";
import { type Recorder, recorder } from "../support/log.ts";
import { configWith, withDatabase, write } from "./database-support.ts";

const SCHEMA = `CREATE TABLE orders (id INTEGER PRIMARY KEY, total);
  CREATE TABLE lines (id INTEGER PRIMARY KEY, of INTEGER NOT NULL, text TEXT UNIQUE);`;

/** An order, then its lines. */
const ORDER = `to "saved" {
  connector = "db"
  target    = "orders"
  atomic    = true
  transform { total = "input.total" }
}
to {
  connector = "db"
  target    = "lines"
  atomic    = true
  each      = "input.lines"
  transform {
    of   = "results.saved.id"
    text = "item"
  }
}
`;
const RESPONSE =
  'response {\n  id = "results.saved.id"\n  lines = "pluck(outputs[1], \'text\')"\n}\n';

interface Made {
  readonly flow: Flow;
  readonly log: Recorder;
  run(input: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** The flow with this body on a database; `b` does what `other` says. */
async function make(
  db: Connector,
  body: string,
  other: (request: WriteRequest) => unknown = () => undefined,
  clock: Clock = new ManualClock(),
): Promise<Made> {
  const model = await loadConfig(configWith(body), { connectors: probes });
  const log = recorder();
  const flow = new Flow(model.flows[0], {
    connectors: new Map<string, Connector>([["b", { write: other }], ["db", db]]),
    constants: {},
    logger: log.logger,
    clock,
    random: () => 0.5,
  });
  return { flow, log, run: async (input) => (await flow.run(eventOf(input))).response?.data };
}

async function holds(db: DatabaseConnector, orders: number, lines: number): Promise<void> {
  const count = (table: string) => write(db, { query: `SELECT count(*) AS n FROM ${table}` });
  assert.deepEqual(await count("orders"), [{ n: orders }]);
  assert.deepEqual(await count("lines"), [{ n: lines }]);
}

test("an order and its lines are written together, and each sees what was before it", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const { run } = await make(db, ORDER + RESPONSE);
    assert.deepEqual(await run({ total: 3, lines: ["a", "b"] }), { id: 1, lines: ["a", "b"] });
    assert.deepEqual(await run({ total: 3, lines: [] }), { id: 2, lines: [] });
    assert.deepEqual(await write(db, { query: "SELECT of, text FROM lines" }), [
      { of: 1, text: "a" },
      { of: 1, text: "b" },
    ]);
    await holds(db, 2, 2);
  });
});

test("what one of them cannot write, none has written", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const { run, log } = await make(db, ORDER + "error_handling {\n  retry { attempts = 3 }\n}\n");
    const [ended, failure] = await Promise.all([
      run({ total: 1, lines: ["a"] }),
      failureOf(() => run({ total: 2, lines: ["b", "c", "b"] })),
    ]);
    assert.equal(ended, undefined);
    assert.equal(failure.code, "flow_failed");
    assert.ok(failure.permanent);
    assert.match(String(failure.cause), /INSERT "lines": UNIQUE constraint failed: lines.text/);
    // A failure that is permanent is not tried again.
    assert.deepEqual(log.records.filter(({ level }) => level === "warn"), []);
    await holds(db, 1, 1);
    // An expression, too.
    const missing = await failureOf(() => run({ total: 2, lines: 7 }));
    assert.match(String(missing.cause), /each needs a list/);
    await holds(db, 1, 1);
  });
});

test("a destination that is skipped is no member of the transaction, and its result is null", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const { run } = await make(
      db,
      ORDER.replace("atomic", 'when = "input.total > 0"\n atomic') +
        'response { saved = "results.saved" }\n',
    );
    assert.deepEqual(await run({ total: 0, lines: [] }), { saved: null });
    await holds(db, 0, 0);
    const failure = await failureOf(() => run({ total: 0, lines: ["a"] }));
    assert.match(String(failure.cause), /NOT NULL constraint failed: lines.of/);
  });
});

/** The database, whose transactions go through `change`. */
function through(db: DatabaseConnector, change: (write: Write, tries: number) => Write): Connector {
  let tries = 0;
  return {
    write: (request) => db.write(request),
    transact(work) {
      tries++;
      return db.transact((transaction) =>
        work({ write: change((request) => transaction.write(request), tries) })
      );
    },
  };
}

type Write = (request: WriteRequest) => unknown;

test("a retry repeats the whole transaction, and nothing of the last try is left", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const clock = new ManualClock();
    const body = `to "first" {
  connector = "b"
}
${ORDER}to {
  connector = "b"
  transform { seen = "outputs" }
}
error_handling {
  retry {
    attempts = 3
    delay    = "1s"
  }
}
${RESPONSE.replace("[1]", "[2]")}`;
    let requests = 0;
    const unsteady = through(db, (write, tries) => (request) => {
      requests++;
      const result = write(request);
      if (tries === 1 && requests === 3) throw new ConnectorError("db", "is busy");
      return result;
    });
    const seen: unknown[] = [];
    const other = ({ payload }: WriteRequest) => {
      seen.push(payload);
      // What was committed before is not written again.
      if (seen.length === 2) throw new ConnectorError("b", "is busy");
    };
    const { run, log } = await make(unsteady, body, other, clock);
    const running = run({ total: 3, lines: ["a", "b"] });
    for (const retries of [1, 2]) {
      while (log.records.length < retries) await settle();
      await holds(db, retries - 1, 2 * (retries - 1));
      await clock.advance(2_000);
    }
    assert.deepEqual(await running, { id: 1, lines: ["a", "b"] });
    assert.deepEqual(log.records.map(({ text }) => text), [
      'flow f failed; retrying in 1000 ms: at index 1: connector "db": is busy',
      'flow f failed; retrying in 1000 ms: connector "b": is busy',
    ]);
    const lines = [{ id: 1, of: 1, text: "a" }, { id: 2, of: 1, text: "b" }];
    const last = { seen: [null, { id: 1, total: 3 }, lines] };
    assert.deepEqual(seen, [{ total: 3, lines: ["a", "b"] }, last, last]);
    assert.equal(requests, 6);
    await holds(db, 1, 2);
  });
});

test("a connector may repeat a transaction: the last time counts", async () => {
  const written: unknown[] = [];
  const write = ({ payload }: WriteRequest) => ({ id: written.push(payload) });
  const twice: Connector = {
    write,
    async transact(work) {
      await work({ write });
      return await work({ write });
    },
  };
  const { run } = await make(twice, ORDER + 'response {\n  all = "outputs"\n}\n');
  assert.deepEqual(await run({ total: 1, lines: ["a"] }), { all: [{ id: 3 }, [{ id: 4 }]] });
  assert.deepEqual(written.slice(2), [{ total: 1 }, { of: 3, text: "a" }]);
});

test("when the flow has timed out, nothing of an open transaction is written", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const clock = new ManualClock();
    const late: (() => void)[] = [];
    const stuck = through(
      db,
      (write) => (request) =>
        request.target === "orders"
          ? write(request)
          : new Promise<void>((resolve) => late.push(resolve)),
    );
    const { run } = await make(stuck, `timeout = "2s"\n${ORDER}`, undefined, clock);
    const failing = failureOf(() => run({ total: 3, lines: ["a", "b"] }));
    while (late.length === 0) await settle();
    const waiting = write(db, { target: "orders", payload: { total: 7 } });
    await clock.advance(2_000);
    assert.equal((await failing).code, "timeout");
    await waiting;
    assert.deepEqual(await write(db, { query: "SELECT total FROM orders" }), [{ total: 7 }]);
    // What it waited for comes too late to go on.
    late[0]();
    await settle();
    assert.equal(late.length, 1);
  });
});

test("a long list lets other events run, and still is one transaction", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const { run } = await make(db, `${ORDER}response { size = "size(outputs[1])" }`);
    const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i}`);
    let ended = false;
    const running = run({ total: 3, lines }).finally(() => ended = true);
    let seen: unknown;
    let turns = 0;
    for (; !ended; turns++) {
      // A read that is quick would run on the connection of the transaction.
      if (turns === 3) seen = write(db, { query: "SELECT text FROM lines WHERE id = 1" });
      await setImmediate();
    }
    assert.ok(turns > 4, `${turns} turns`);
    assert.deepEqual(await running, { size: 5_000 });
    assert.deepEqual(await seen, [{ text: "line 0" }]);
    await holds(db, 1, 5_000);
  });
});

test("neighbours on one connector are one transaction, and what stands between them ends it", async () => {
  const atomic = "atomic = true";
  const cases: readonly (readonly [string, string])[] = [
    [`db ${atomic}|db ${atomic}`, "begin write write commit"],
    [
      `db ${atomic}|db ${atomic}|db|db ${atomic}|db ${atomic}`,
      `begin write write commit
      write begin write write commit`,
    ],
    // One write is a transaction anyway.
    [`db ${atomic}|b|db ${atomic}`, "write other write"],
    [`db ${atomic}|db`, "write write"],
    [`db ${atomic}|db each = "[1, 2]"`, "write write write"],
    [`db each = "[1, 2]"|db each = "[1, 2]" ${atomic}`, "write write begin write write commit"],
    [
      `db each = "[1, 2]" ${atomic}|db each = "[1,2]" ${atomic}|db ${atomic}`,
      `begin write write
      write write write commit`,
    ],
    [`db ${atomic} when = "false"|db ${atomic}`, "begin write commit"],
    [
      `db parallel = true|db parallel = true|db ${atomic}|db ${atomic}`,
      `write write
      begin write write commit`,
    ],
    [
      `db ${atomic}|db ${atomic}|db2 ${atomic}|db2 ${atomic}`,
      `begin write write commit
      begin write write commit`,
    ],
  ];
  for (const [blocks, expected] of cases) {
    const done: string[] = [];
    const note = (what: string) => (): void => void done.push(what);
    const ledger: Connector = {
      write: note("write"),
      async transact(work) {
        note("begin")();
        const result = await work({ write: note("write") });
        note("commit")();
        return result;
      },
    };
    const body = blocks.split("|").map((block) => {
      const [connector, ...attributes] = block.split(/ (?=\w+ =)/);
      return `to {\nconnector = "${connector}"\ntarget = "t"\n${attributes.join("\n")}\n}\n`;
    }).join("").replaceAll(/("b"\n)target.*/g, "$1");
    const second = configWith("").match(/connector "db" {[^}]*}/)![0].replace('"db"', '"db2"');
    const model = await loadConfig(`${second}\n${configWith(body)}`, { connectors: probes });
    const connectors = new Map([["db", ledger], ["db2", ledger], ["b", { write: note("other") }]]);
    const { logger } = recorder();
    const context = { connectors, constants: {}, logger, clock: new ManualClock() };
    const flow = new Flow(model.flows[0], { ...context, random: () => 0 });
    await flow.run(eventOf({ n: 1 }));
    assert.deepEqual(done, expected.split(/\s+/), blocks);
  }
});

test("a try that cannot begin does not name the element at which the one before it stopped", async () => {
  const clock = new ManualClock();
  let tries = 0;
  const busy: Connector = {
    write: () => undefined,
    async transact(work) {
      if (++tries === 2) throw new ConnectorError("db", "cannot begin");
      let written = 0;
      return await work({
        write() {
          if (tries === 1 && ++written === 3) throw new ConnectorError("db", "is busy");
          return { id: 1 };
        },
      });
    },
  };
  const retry = 'error_handling {\n  retry {\n    attempts = 3\n    delay = "1s"\n  }\n}\n';
  const { run, log } = await make(busy, ORDER + retry + RESPONSE, undefined, clock);
  const running = run({ total: 3, lines: ["a", "b"] });
  for (const retries of [1, 2]) {
    while (log.records.length < retries) await settle();
    await clock.advance(5_000);
  }
  await running;
  assert.deepEqual(log.records.map(({ text }) => text.replace(/\d+ ms/, "")), [
    'flow f failed; retrying in : at index 1: connector "db": is busy',
    'flow f failed; retrying in : connector "db": cannot begin',
  ]);
});

test("a connector without transactions fails such a flow for good", async () => {
  const { run } = await make({ write: () => undefined }, ORDER);
  const failure = await failureOf(() => run({ lines: [] }));
  assert.match(String(failure.cause), /connector "db": has no transactions/);
  assert.ok(failure.permanent);
});
