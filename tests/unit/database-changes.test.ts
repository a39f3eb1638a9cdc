import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ChangeEvent,
  givenEvent,
  NotificationEvent,
} from "../../src/connectors/database/changes/event.ts";
import {
  checkGiven,
  checkSource,
  receives,
  receivesFrom,
  whyNoSource,
} from "../../src/connectors/database/changes/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { problemsOf } from "../support/config.ts";
import { drivers } from "../../src/connectors/database/drivers/mod.ts";
import type { DatabaseOptions } from "../../src/connectors/database/options.ts";

const options = (more: object = {}) => ({ driver: "postgres", ...more }) as DatabaseOptions;

/** The code, the message and the hint of the only problem. */
function problem(operation: string | undefined, more: object = {}): readonly string[] {
  const problems = checkSource(operation, options(more));
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return [problems[0].code, problems[0].message, problems[0].hint ?? ""];
}

test("an operation is a change and a table, or NOTIFY and a channel", () => {
  const good = [
    "INSERT orders",
    "UPDATE public.orders",
    "DELETE a.b.c",
    "* My Orders",
    "NOTIFY a b",
  ];
  for (const operation of good) assert.deepEqual(checkSource(operation, options()), []);
});

test("any other operation is a problem with a hint", () => {
  assert.equal(problem(undefined)[0], "missing-operation");
  assert.match(problem(undefined)[2], /such as "INSERT orders"/);
  for (const operation of ["INSRT orders", "insert orders", "Insert orders"]) {
    const [code, message, hint] = problem(operation);
    assert.equal(code, "unknown-operation");
    assert.match(message, /^has no operation "ins/i);
    assert.equal(hint, 'did you mean "INSERT"?');
  }
  for (
    const operation of [
      "",
      "orders",
      "UPSERT orders",
      "SELECT orders",
      "TRUNCATE orders",
      "INSERT\torders",
    ]
  ) {
    assert.equal(problem(operation)[0], "unknown-operation", operation);
  }
  assert.deepEqual(problem("INSERT")[1], "needs a table after INSERT");
  assert.deepEqual(problem("INSERT  ")[1], "needs a table after INSERT");
  assert.deepEqual(problem("NOTIFY")[1], "needs a channel after NOTIFY");
  assert.deepEqual(problem("* .orders")[1], "needs a name of the schema");
  assert.deepEqual(problem("* public.")[1], "needs a name of the table");
  for (const name of ["x".repeat(64), "ä".repeat(32)]) {
    assert.equal(problem(`* ${name}`)[1], "has a table of more than 63 bytes");
    assert.equal(problem(`* ${name}.t`)[1], "has a schema of more than 63 bytes");
    assert.equal(problem(`NOTIFY ${name}`)[1], "has a channel of more than 63 bytes");
  }
  for (const name of ["a\0", "\ud800"]) {
    assert.match(problem(`INSERT ${name}`)[1], /a character that no name has/);
  }
});

test("the table of dead letters starts no flow", () => {
  const [code] = problem("INSERT letters", { changes: { dead_letter: "letters" } });
  assert.equal(code, "dead-letter-loop");
  const qualified = { changes: { dead_letter: "public.letters" } };
  assert.equal(problem("* letters", qualified)[0], "dead-letter-loop");
  assert.deepEqual(checkSource("INSERT t", options({ changes: { dead_letter: "letters" } })), []);
});

test("a driver without changes is named", () => {
  assert.equal(whyNoSource("postgres", drivers), undefined);
  assert.equal(whyNoSource(undefined, drivers), undefined);
  assert.match(
    String(whyNoSource("sqlite", drivers)),
    /^Weir reads no changes of SQLite; it does with driver = "postgres"$/,
  );
});

test("a write starts the flows of its table", () => {
  const starts = (operation: string, target: string, written?: string) =>
    receives(operation, target, options(), written);
  assert.ok(starts("INSERT orders", "orders"));
  assert.ok(starts("INSERT public.orders", "orders", "INSERT"));
  assert.ok(starts("* orders", "sales.orders", "DELETE"));
  for (const operation of ["INSERT orders", "UPDATE orders", "* orders"]) {
    assert.ok(starts(operation, "orders", "UPSERT"), operation);
  }
  assert.ok(!starts("DELETE orders", "orders", "UPSERT"));
  assert.ok(!starts("UPDATE orders", "orders"));
  assert.ok(!starts("INSERT orders", "order"));
  assert.ok(!starts("INSERT a.orders", "b.orders"));
  assert.ok(!starts("NOTIFY orders", "orders"));
});

test("what is given in a test starts the flows that take it", () => {
  const starts = (operation: string, given: string) => receives(operation, given, options());
  assert.ok(starts("* orders", "DELETE orders"));
  assert.ok(starts("INSERT public.orders", "INSERT orders"));
  assert.ok(starts("NOTIFY c", "NOTIFY c"));
  assert.ok(!starts("INSERT orders", "UPDATE orders"));
  assert.ok(!starts("NOTIFY c", "NOTIFY d"));
  assert.ok(!starts("NOTIFY c", "INSERT c"));
  assert.deepEqual(checkGiven("INSERT orders", options()), []);
  assert.match(checkGiven("* orders", options())[0].message, /needs the operation of one change/);
  assert.equal(checkGiven("INSRT orders", options())[0].code, "unknown-operation");
});

test("another connector for the same database starts flows, too, and so do its dead letters", () => {
  const at = (url: string, more = {}) => options({ url, ...more });
  const one = at("postgres://a:b@Host/db");
  assert.ok(receivesFrom("INSERT t", "t", one, at("postgres://host:5432/db")));
  assert.ok(receivesFrom("INSERT t", "t", one, options({ host: "host", database: "db" })));
  assert.ok(!receivesFrom("INSERT t", "t", one, at("postgres://host:5433/db")));
  assert.ok(!receivesFrom("INSERT t", "t", one, at("postgres://host/other")));
  assert.ok(!receivesFrom("INSERT t", undefined, one, at("postgres://host/db")));
  const keeps = at("postgres://host/db", { changes: { dead_letter: "t" } });
  assert.ok(receivesFrom("INSERT t", undefined, one, keeps));
});

test("metadata wins over the columns, and the row is there as it is", () => {
  const row = JSON.parse('{"id":1,"operation":"x","lsn":2,"__proto__":3}');
  const event = new ChangeEvent({
    operation: "UPDATE",
    table: "t",
    row,
    old: { id: 0 },
    unchanged: ["big"],
    lsn: "0/1",
    committedAt: "2026-01-01T00:00:00.000000Z",
  });
  assert.equal(event.operation, "UPDATE t");
  assert.equal(event.payload, row);
  assert.equal(event.input, event.input);
  assert.deepEqual(Object.fromEntries(Object.entries(event.input)), {
    ...row,
    operation: "UPDATE",
    lsn: "0/1",
    old: { id: 0 },
    table: "t",
    committed_at: "2026-01-01T00:00:00.000000Z",
    unchanged: ["big"],
    row,
  });
  assert.deepEqual(Object.entries(event.input)[3], ["__proto__", 3]);
  assert.ok([...event.metadata].every((name) => name in event.input));
});

test("a notification is parsed where it is JSON", () => {
  assert.deepEqual(new NotificationEvent("c", '{"a":1}').input, {
    a: 1,
    channel: "c",
    operation: "NOTIFY",
    body: { a: 1 },
  });
  assert.deepEqual(new NotificationEvent("c", "{a").input.body, "{a");
});

test("a test's event has what a real one has", () => {
  const change = givenEvent("DELETE t", { id: 1 }, { id: 1, a: 2 }, 0);
  assert.deepEqual(change.payload, { id: 1 });
  assert.deepEqual([change.input.old, change.input.operation], [{ id: 1, a: 2 }, "DELETE"]);
  assert.deepEqual(givenEvent("INSERT t", null, null, 0).payload, {});
  assert.deepEqual(givenEvent("NOTIFY c", { a: 1 }, null, 0).input.body, { a: 1 });
  assert.deepEqual(givenEvent("NOTIFY c", "text", null, 0).payload, "text");
});

test("the name of a slot has what PostgreSQL takes", async () => {
  const slot = (name: string) =>
    problemsOf(
      `connector "pg" {\n type = "database"\n driver = "postgres"\n database = "d"\n` +
        ` changes {\n slot = ${JSON.stringify(name)}\n }\n}`,
    );
  assert.deepEqual(await slot("weir_2"), []);
  for (const name of ["Weir", "a-b", "ä", "x".repeat(64)]) {
    assert.match(String(await slot(name)), /invalid-value/, name);
  }
});

test("a flow that writes to the table whose changes start it is a loop", async () => {
  const load = async (operation: string, to: string) => {
    const text =
      `connector "pg" {\n type = "database"\n driver = "postgres"\n database = "d"\n}\n` +
      `flow "f" {\n from {\n connector = "pg"\n operation = "${operation}"\n }\n` +
      ` to {\n connector = "pg"\n ${to}\n }\n}`;
    return (await loadConfig(text)).warnings.map(({ code }) => code);
  };
  assert.deepEqual(await load("INSERT t", 'target = "t"'), ["flow-loop"]);
  assert.deepEqual(await load("* t", 'target = "t"\n operation = "UPDATE"\n key = "id"'), [
    "flow-loop",
  ]);
  assert.deepEqual(await load("INSERT t", 'target = "t"\n operation = "UPDATE"\n key = "id"'), []);
  assert.deepEqual(await load("INSERT t", 'target = "u"'), []);
  const problems = await problemsOf(
    `connector "db" {\n type = "database"\n driver = "sqlite"\n database = ":memory:"\n}\n` +
      `flow "f" {\n from {\n connector = "db"\n operation = "INSERT t"\n }\n to {\n connector = "db"\n target = "u"\n }\n}`,
  );
  assert.match(String(problems), / not-a-source$/);
});
