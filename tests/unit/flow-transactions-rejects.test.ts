/** A `reject` in a transaction: it undoes what the destinations before it have written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import type { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import type { Connector, WriteRequest } from "../../src/contract/connector.ts";
import { Flow } from "../../src/flow/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { eventOf, failureOf, probes } from "../support/flow.ts";
import { recorder } from "../support/log.ts";
import { configWith, connector, withDatabase, write } from "./database-support.ts";

const SCHEMA = `CREATE TABLE tickets (id INTEGER PRIMARY KEY, state TEXT);
  INSERT INTO tickets VALUES (1, 'open'), (2, 'open'), (3, 'closed');
  CREATE TABLE audit (id INTEGER PRIMARY KEY, ticket INTEGER, by TEXT);`;

function put(rest: string, name = ""): string {
  return `to ${name} {\n  connector = "db"\n${rest}\n}\n`;
}

function reject(when: string, code: string): string {
  return `reject {\n  when = "${when}"\n  code = "${code}"\n}\n`;
}

const CLOSE = `query = "UPDATE tickets SET state = 'closed' WHERE id = :id AND state = 'open'"
  params = { id = "input.id" }
  atomic = true`;
const AUDIT = `target = "audit"
  atomic = true
  transform {
    ticket = "input.id"
    by     = "input.by"
  }`;
const CLOSED = reject("results.closed.changes == 0", "ticket_closed");

/** Closes a ticket that is open, and notes by whom. */
const ONCE = put(CLOSE, '"closed"') + CLOSED + put(AUDIT);

type Inner = (request: WriteRequest) => unknown;

interface Options {
  readonly clock?: ManualClock;
  /** What connector `b` does. */
  readonly other?: Inner;
}

async function make(
  db: Connector,
  body: string,
  { clock = new ManualClock(), other = () => undefined }: Options = {},
) {
  const model = await loadConfig(configWith(body), { connectors: probes });
  const log = recorder();
  const flow = new Flow(model.flows[0], {
    connectors: new Map<string, Connector>([["b", { write: other }], ["db", db]]),
    constants: {},
    logger: log.logger,
    clock,
    random: () => 0.5,
  });
  return {
    log,
    run: async (input: Readonly<Record<string, unknown>>) => await flow.run(eventOf(input)),
  };
}

/** The tickets that are open, and who has closed which. */
async function found(db: DatabaseConnector): Promise<readonly [string, string]> {
  const text = async (query: string): Promise<string> => {
    const rows = await write(db, { query }) as { readonly text: string }[];
    return rows.map(({ text }) => text).join(" ");
  };
  return [
    await text("SELECT id AS text FROM tickets WHERE state = 'open' ORDER BY id"),
    await text("SELECT ticket || by AS text FROM audit ORDER BY ticket, by"),
  ];
}

test("of many events that close one ticket at once, one does, and the others are refused", async () => {
  await withDatabase(SCHEMA, async (db, file) => {
    const second = connector({ database: file });
    await second.start();
    const flows = await Promise.all([db, second].map((one) => make(one, ONCE)));
    const ends = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) => flows[i % 2].run({ id: 1 + i % 3 % 2, by: `n${i}` })),
    );
    const codes = ends.map((end) => "reason" in end ? end.reason.code : "closed").sort();
    assert.deepEqual(codes, ["closed", "closed", ...Array(10).fill("ticket_closed")]);
    const [open, audit] = await found(db);
    assert.equal(open, "");
    assert.match(audit, /^1n\d+ 2n\d+$/);
    await second.close();
  });
});

test("a refusal undoes the whole transaction, wherever its reject is written", async () => {
  const list = put(
    'target = "audit"\natomic = true\neach = "[1, 2]"\ntransform {\n  ticket = "item"\n  by = "\'x\'"\n}',
  );
  const update = 'target = "tickets"\noperation = "UPDATE"\nkey = "id"\natomic = true\n' +
    'transform {\n  id = "input.id"\n  state = "\'closed\'"\n}';
  const bodies = [
    // After the last one.
    put(AUDIT) + put(CLOSE, '"closed"') + CLOSED,
    // A list before it, a list after it, and another that is not true.
    list + put(CLOSE, '"closed"') + reject("results.closed == null", "lost") + CLOSED + list,
    // After a single one, which needs a transaction for it.
    put(update.replace("closed", "open"), '"closed"') +
    reject("results.closed.id == 3", "ticket_closed"),
    list + reject("input.id == 3", "ticket_closed"),
    // A row that is not there.
    put(AUDIT) + put(update.replace("input.id", "input.id + 10"), '"closed"') +
    reject("results.closed == null", "ticket_closed"),
    // What the transaction has written is seen.
    put(AUDIT) +
    put('query = "SELECT count(*) AS n FROM audit"\natomic = true', '"noted"') +
    reject("results.noted[0].n == 1", "ticket_closed"),
  ];
  for (const body of bodies) {
    await withDatabase(SCHEMA, async (db) => {
      const { run, log } = await make(db, `${body}to { connector = "b" }\n`, {
        other: () => assert.fail("it is below the reject"),
      });
      const failure = await failureOf(() => run({ id: 3, by: "x" }));
      assert.deepEqual([failure.code, failure.ref], ["ticket_closed", undefined], body);
      assert.deepEqual(log.records.map(({ level }) => level), ["debug"]);
      assert.deepEqual(await found(db), ["1 2", ""], body);
    });
  }
});

test("outside of a transaction a refusal undoes nothing", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const body = put(AUDIT) + put(CLOSE.replace("atomic = true", ""), '"closed"') + CLOSED;
    const { run } = await make(db, body);
    assert.equal((await failureOf(() => run({ id: 3, by: "x" }))).code, "ticket_closed");
    assert.deepEqual(await found(db), ["1 2", "3x"]);
  });
});

test("ack counts as handled, and undoes the transaction, too", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const body = put(AUDIT) + put(CLOSE, '"closed"') +
      CLOSED.replace("code", 'on_reject = "ack"\n  code');
    const { run, log } = await make(db, body);
    assert.equal((await run({ id: 3, by: "x" })).response, undefined);
    await run({ id: 1, by: "x" });
    assert.deepEqual(log.records, []);
    assert.deepEqual(await found(db), ["2", "1x"]);
  });
});

test("a retry repeats a transaction with its rejects, and never one that has refused", async () => {
  await withDatabase(SCHEMA, async (db) => {
    const clock = new ManualClock();
    let audits = 0;
    const unsteady: Connector = {
      write: (request) => db.write(request),
      transact: (work) =>
        db.transact((transaction) =>
          work({
            write(request) {
              if (request.target === "audit" && ++audits === 1) {
                throw new ConnectorError("db", "is busy");
              }
              return transaction.write(request);
            },
          })
        ),
    };
    const body = ONCE + reject("results.closed.changes != 1", "lost") +
      'error_handling {\n  retry {\n    attempts = 3\n    delay = "1s"\n  }\n}\n';
    const { run, log } = await make(unsteady, body, { clock });
    const running = run({ id: 1, by: "a" });
    while (log.records.length < 1) await settle();
    assert.deepEqual(await found(db), ["1 2", ""]);
    // Somebody else closes it before the retry.
    await write(db, { query: "UPDATE tickets SET state = 'closed' WHERE id = 1" });
    const failing = failureOf(() => running);
    await clock.advance(2_000);
    assert.equal((await failing).code, "ticket_closed");
    assert.equal(audits, 1);
    await run({ id: 2, by: "b" });
    assert.deepEqual(await found(db), ["", "2b"]);
  });
});
