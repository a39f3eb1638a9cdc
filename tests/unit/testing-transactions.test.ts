/** Transactions under `weir test`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineConnector } from "../../src/contract/definition.ts";
import { reportOf } from "./testing-support.ts";

const ORDER = `to "saved" {
  connector = "DB"
  target    = "orders"
  atomic    = true
  transform { total = "input.total" }
}
to {
  connector = "DB"
  target    = "lines"
  atomic    = true
  each      = "input.lines"
  transform {
    of   = "results.saved.id"
    text = "item"
  }
}
`;

/** A flow of the caller's operation. */
function flow(name: string, operation: string, body: string): string {
  return `flow "${name}" {
  from {
    connector = "rabbit"
    operation = "${operation}"
  }
  ${body}
}
`;
}

const order = (connector: string) =>
  flow(
    "order",
    "order",
    ORDER.replaceAll("DB", connector) +
      'to {\n  connector = "mail"\n  transform { id = "results.saved.id" }\n}\n',
  );

const given = (operation: string, data = "{}") =>
  `given "rabbit" {\n  operation = "${operation}"\n  data = ${data}\n}\n`;
const GIVEN = given("order", '{ total = 3, lines = ["a", "b"] }');
const MAIL = 'mock "mail" {}\n';

async function report(
  flows: string,
  steps: string,
  connectors = "",
  types: Parameters<typeof reportOf>[1] = {},
): Promise<string> {
  const text = await reportOf(`${connectors}${flows}test "orders" {\n${steps}\n}\n`, types);
  return text.replaceAll(/@\d+/g, "@");
}

/** The requests of an order, and what the mail says. */
const seen = (connector: string, id: number) => `
expect "${connector}" {
  target = "orders"
  data   = { total = 3 }
}
expect "${connector}" {
  target = "lines"
  data   = { of = ${id}, text = "a" }
}
expect "${connector}" {
  target = "lines"
  data   = { of = ${id}, text = "b" }
}
expect "${connector}" { nothing = true }
expect "mail" {
  data = { id = ${id} }
}
`;

test("mocks answer the requests of a transaction one by one", async () => {
  const mocks = `${MAIL}mock "db" {
    target  = "orders"
    returns = { id = 7 }
    delay   = "1s"
  }
  mock "db" {}
  `;
  const steps = `${mocks}${GIVEN}expect "mail" { nothing = true }
    advance { by = "1s" }
    ${seen("db", 7)}`;
  assert.equal(await report(order("db"), steps), "ok      orders");
});

const TABLES = flow(
  "tables",
  "tables",
  ["orders (id INTEGER PRIMARY KEY, total)", "lines (of, text)"].map((table) =>
    `to {\n  connector = "db"\n  query = "CREATE TABLE ${table}"\n}\n`
  ).join(""),
);
const COUNT = flow(
  "count",
  "count",
  `step "rows" {
  connector = "db"
  query     = "SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM lines) AS lines"
}
to {
  connector = "mail"
  transform {
    orders = "step.rows.orders"
    lines  = "step.rows.lines"
  }
}
`,
);
const counted = (orders: number, lines: number) =>
  `${given("count")}
  expect "mail" {
    data = { orders = ${orders}, lines = ${lines} }
  }
  `;

test("what is not mocked is written to the database in memory, and a mock that fails undoes it", async () => {
  const flows = TABLES + COUNT + order("db");
  const started = `${MAIL}${given("tables")}
    expect "db" { count = 2 }
  `;
  const good = `${started}${GIVEN}${seen("db", 1)}${counted(1, 2)}`;
  assert.equal(await report(flows, good), "ok      orders");
  const bad = `${started}mock "db" {
      target    = "lines"
      error     = "is full"
      permanent = true
    }
    ${GIVEN}
    expect "rabbit" { error = "flow_failed" }
    expect "db" { count = 2 }
    ${counted(0, 0)}`;
  assert.equal(await report(flows, bad), "ok      orders");
});

test("a connector that does not run has its mocks alone", async () => {
  const remote = defineConnector({
    fields: {},
    destination: { fields: {}, transactions: true },
    create: () => assert.fail("it was made in a test"),
  });
  const connectors = 'connector "far" {\n  type = "remote"\n}\n';
  const run = (steps: string) => report(order("far"), steps, connectors, { remote });
  const mocks = `${MAIL}mock "far" {\n  target  = "orders"\n  returns = { id = 7 }\n}\n`;
  assert.equal(await run(`${mocks}mock "far" {}\n${GIVEN}${seen("far", 7)}`), "ok      orders");
  assert.match(
    await run(`${mocks}${GIVEN}`),
    /connector "far" \(remote\) does not run in tests and no mock answers "lines"/,
  );
});

test("a transaction that the database repeats is recorded once", async () => {
  const linked = [
    "orders (id INTEGER PRIMARY KEY, total)",
    "lines (of INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED, text)",
    "parents (id INTEGER PRIMARY KEY)",
  ];
  const tables = flow(
    "tables",
    "tables",
    linked.map((table) => `to {\n  connector = "db"\n  query = "CREATE TABLE ${table}"\n}\n`)
      .join(""),
  );
  const two = (name: string, of: string) =>
    flow(
      name,
      "both",
      `to {
      connector = "db"
      target    = "orders"
      atomic    = true
      transform { total = "1" }
    }
    to {
      connector = "db"
      target    = "lines"
      atomic    = true
      transform { of = "${of}" }
    }`,
    );
  const steps = `${given("tables")}
    expect "db" { count = 3 }
    ${given("both")}
    expect "rabbit" { error = "flow_failed" }
    expect "db" {
      target = "orders"
      count  = 2
    }
    expect "db" {
      target = "lines"
      count  = 2
    }`;
  assert.equal(
    await report(tables + two("good", "null") + two("bad", "9"), steps),
    "ok      orders",
  );
});
