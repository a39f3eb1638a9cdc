import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import { attribute } from "../../src/contract/fields.ts";
import { text } from "../../src/contract/value-schema.ts";
import { reportOf } from "./testing-support.ts";

const FLOWS = `flow "store" {
  from {
    connector = "rabbit"
    operation = "note.*"
  }
  step "found" {
    connector = "mail"
    operation = "find"
    target    = "people"
  }
  transform {
    text  = "input.text"
    found = "step.found"
    head  = "input.headers.head"
  }
  to {
    connector = "mail"
    operation = "send"
    target    = "input.to"
  }
  error_handling {
    retry { attempts = 2 }
  }
}
`;
const N = FLOWS.split("\n").length - 1;

async function report(
  body: string,
  connectors: Readonly<Record<string, ConnectorType>> = {},
): Promise<string> {
  const text = await reportOf(`${FLOWS}test "mq" {\n${body}\n}\n`, connectors);
  return text.replaceAll(/@(\d+)/g, (_, line) => `@${Number(line) - N - 1}`);
}

const FIND = `mock "mail" {
  step    = "found"
  returns = { id = 7 }
}
`;
const SEND = 'mock "mail" { operation = "send" }\n';
const GIVEN = `given "rabbit" {
  operation = "note.new"
  data      = { to = "bob", text = "hi" }
  headers   = { head = "h" }
}
`;

test("a message runs its flows, and what they write is seen", async () => {
  const steps = `${FIND}${SEND}${GIVEN}expect "mail" {
  operation = "send"
  target    = "bob"
  data      = { text = "hi", found = { id = 7 }, head = "h" }
}
expect "mail" { nothing = true }
expect "rabbit" { nothing = true }`;
  assert.equal(await report(steps), "ok      mq");
});

test("a write that is another is shown", async () => {
  const steps = `${FIND}${SEND}${GIVEN}expect "mail" {
  operation = "sent"
  target    = "eve"
  data      = { text = "ho" }
}`;
  assert.equal(
    await report(steps),
    `FAILED  mq
        @11  expect "mail": nothing received matches
          expected  {"operation":"sent","target":"eve","data":{"text":"ho"}}
          received  {"operation":"send","target":"bob",` +
      `"data":{"text":"hi","found":{"id":7},"head":"h"}}
                    operation: expected "sent", received "send"
                    target: expected "eve", received "bob"
                    data.text: expected "ho", received "hi"`,
  );
});

test("what a step asks is seen by its name alone", async () => {
  const steps = `${FIND}${SEND}${GIVEN}expect "mail" { target = "bob" }
expect "mail" { nothing = true }
expect "mail" {
  step   = "found"
  target = "people"
  data   = { to = "bob" }
}
expect "mail" { step = "found" }`;
  assert.equal(
    await report(steps),
    `FAILED  mq
        @18  expect "mail": nothing received matches
          expected  {"step":"found"}
          received  nothing`,
  );
});

test("a write that is left over is something", async () => {
  assert.equal(
    await report(`${FIND}${SEND}${GIVEN}expect "mail" { nothing = true }`),
    `FAILED  mq
        @11  expect "mail": received something
          received  {"operation":"send","target":"bob",` +
      `"data":{"text":"hi","found":{"id":7},"head":"h"}}`,
  );
});

test("a connector that is not made in tests needs a mock", async () => {
  assert.equal(
    await report(`${FIND}${GIVEN}`),
    `FAILED  mq
        @5  connector "mail" (mail) does not run in tests and no mock answers "send bob"
        @5  flow "store" failed: flow_failed: connector "mail": does not run in tests`,
  );
});

test("a routing key that no flow takes is a mistake of the test", async () => {
  assert.equal(
    await report('given "rabbit" { operation = "note.new.er" }'),
    `FAILED  mq
        @1  no flow takes "note.new.er" of connector "rabbit"`,
  );
});

test("a failure of a broker's flow is expected by its code", async () => {
  const failing = `${FIND}mock "mail" {
  operation = "send"
  error     = "is full"
  permanent = true
}
${GIVEN}`;
  assert.equal(await report(`${failing}expect "rabbit" { error = "flow_failed" }`), "ok      mq");
  assert.equal(
    await report(failing),
    `FAILED  mq
        @10  flow "store" failed: flow_failed: connector "mail": is full`,
  );
  assert.equal(
    await report(`${failing}expect "rabbit" {\n error = "flow_failed"\n count = 2\n}`),
    `FAILED  mq
        @10  flow "store" failed: flow_failed: connector "mail": is full
        @15  expect "rabbit": expected 2 to match, but 1 did
          expected  {"error":"flow_failed"}
          received  nothing`,
  );
});

test("an error that is for good is not tried again, another is", async () => {
  const failing = (permanent: boolean) =>
    `${FIND}${permanent ? "" : SEND}mock "mail" {
  target    = "bob"
  operation = "send"
  error     = "is full"
  permanent = ${permanent}
  times     = 1
}
${GIVEN}advance { by = "1s" }
expect "mail" {
  operation = "send"
  count     = ${permanent ? 1 : 2}
}
`;
  assert.equal(await report(failing(false)), "ok      mq");
  assert.equal(
    await report(`${failing(true)}expect "rabbit" { error = "flow_failed" }`),
    "ok      mq",
  );
});

test("the most exact mock answers, then the first; one that has answered its times is over", async () => {
  const steps = `mock "mail" { returns = "any" }
mock "mail" {
  step    = "found"
  returns = 1
  times   = 2
}
mock "mail" {
  step    = "found"
  returns = 2
  times   = 1
}
${GIVEN.repeat(4)}expect "mail" { data = { found = 1 } }
expect "mail" { data = { found = 1 } }
expect "mail" { data = { found = 2 } }
expect "mail" { data = { found = "any" } }
expect "mail" { nothing = true }`;
  assert.equal(await report(steps), "ok      mq");
});

test("a mock without end makes room for a later one of the same conditions", async () => {
  const steps = `${SEND}${FIND}${GIVEN}mock "mail" {
  step    = "found"
  returns = 8
}
${GIVEN}expect "mail" { data = { found = { id = 7 } } }
expect "mail" { data = { found = 8 } }`;
  assert.equal(await report(steps), "ok      mq");
});

test("a mock that nothing asks for fails the test", async () => {
  const steps = `${SEND}${FIND}mock "mail" {
  step    = "fuond"
  returns = 8
}
${GIVEN}expect "mail" { target = "bob" }`;
  assert.equal(
    await report(steps),
    `FAILED  mq
        @6  mock "mail" was never used`,
  );
});

/** A source and destination of somebody else's. */
function foreign(type: Partial<ConnectorType> = {}): Readonly<Record<string, ConnectorType>> {
  const probe = defineConnector({
    fields: { path: attribute(text(), { about: "For the test.", default: "outside" }) },
    source: {},
    destination: { fields: {} },
    create: ({ path }) => {
      if (path === "outside") throw new Error("made with what is outside");
      return { write: ({ payload }) => Promise.resolve({ path, payload }) };
    },
  });
  return { probe: { ...probe, ...type } };
}

const PROBE = `connector "probe" {
  type = "probe"
}
flow "probed" {
  from {
    connector = "probe"
    operation = "measured"
  }
  step "asked" { connector = "probe" }
  to { connector = "probe" }
  to {
    connector = "mail"
    target    = "step.asked.path"
    transform { got = "input.value" }
  }
}
`;

test("a foreign connector is made with its options for tests", async () => {
  const blocks = (target: string) =>
    `${PROBE}test "foreign" {
  mock "mail" {}
  given "probe" {
    operation = "measured"
    data      = { value = 5, path = "p" }
  }
  expect "probe" { data = { value = 5 } }
  expect "mail" { target = "${target}" }
}
`;
  const made = foreign({ test: () => ({ path: "inside" }) });
  assert.equal(await reportOf(blocks("inside"), made), "ok      foreign");
});

test("one without options for tests only hears, and asks the mocks", async () => {
  const blocks = (mock: string) =>
    `${PROBE}test "foreign" {
  mock "mail" {}
  ${mock}
  given "probe" {
    operation = "measured"
    data      = { value = 5, path = "p" }
  }
  expect "mail" { data = { got = 5 } }
}
`;
  assert.equal(
    await reportOf(blocks('mock "probe" { returns = { path = "p" } }'), foreign()),
    "ok      foreign",
  );
  const report = await reportOf(blocks(""), foreign());
  assert.match(
    report,
    /connector "probe" \(probe\) does not run in tests and no mock answers the request/,
  );
});

test("a connector that breaks at its start fails the test", async () => {
  const broken = foreign({
    test: (options) => options,
    create: () => ({ start: () => Promise.reject(new Error("there is no disk")) }),
  });
  const blocks = `${PROBE}test "foreign" {\n  expect "probe" { nothing = true }\n}\n`;
  assert.equal(await reportOf(blocks, broken), "FAILED  foreign\n        @17  there is no disk");
});

test("databases are in memory and those of one test are not seen by the next", async () => {
  const test = (name: string) =>
    `test "${name}" {
  given "rabbit" {
    operation = "row"
    data      = { n = 1 }
  }
  expect "db" {
    step      = "rows"
    count     = 1
  }
  expect "rabbit" {
    target = "rows"
    data   = { n = 0 }
  }
}
`;
  const flow = `flow "row" {
  from {
    connector = "rabbit"
    operation = "row"
  }
  step "rows" {
    connector = "db"
    query     = "SELECT count(*) AS n FROM sqlite_master WHERE name = 'made'"
  }
  step "made" {
    connector = "db"
    query     = "CREATE TABLE made (n INTEGER)"
  }
  transform { n = "step.rows.n" }
  to {
    connector = "rabbit"
    target    = "rows"
  }
}
`;
  assert.equal(await reportOf(flow + test("a") + test("b")), "ok      a\nok      b");
});

test("a message comes from outside, even where the connector publishes elsewhere", async () => {
  const blocks = (key: string) =>
    `connector "far" {
  type   = "mq"
  driver = "rabbitmq"
  url    = "amqp://nowhere.invalid"
  exchange { name = "in" }
  publisher { exchange = "out" }
}
flow "exact" {
  from {
    connector = "far"
    operation = "a.b"
  }
  transform {
    n    = "input.n"
    head = "input.headers.head"
    body = "input.body"
  }
  to {
    connector = "far"
    target    = "a.b"
  }
}
test "far" {
  given "far" {
    operation = "${key}"
    data      = { n = 1 }
    headers   = { head = "h" }
  }
  expect "far" {
    target = "a.b"
    data   = { n = 1, head = "h", body = { n = 1 } }
    count  = 1
  }
}
`;
  assert.equal(await reportOf(blocks("a.b")), "ok      far");
  assert.match(await reportOf(blocks("a.c")), /no flow takes "a\.c" of connector "far"/);
});

/** A connector that says what it was made with, and refuses what its payload asks it to refuse. */
const played: ConnectorType = defineConnector({
  fields: { url: attribute(text(), { about: "Where it is." }) },
  destination: { fields: {} },
  test: (options) => ({ ...options, url: "memory" }),
  testReal: (options) => options,
  create({ url }, { name, played }) {
    played?.({ service: "Shelf", by: url === "memory" ? "a list" : "real" });
    return {
      write({ target }) {
        const refusal = new ConnectorError(name, "cannot be played", { code: "needs-mock" });
        if (target === "later") return Promise.reject(refusal);
        if (target === "nothing") {
          throw refusal;
        }
        return url;
      },
    };
  },
});

const SHELF = `connector "shelf" {
  type = "shelf"
  url  = "https://shelf.example"
}
flow "put" {
  from {
    connector = "api"
    operation = "POST /:target"
  }
  step "tried" {
    connector = "shelf"
    target    = "input.target"
    on_error  = "skip"
  }
  response { url = "step.tried" }
}
`;

const put = (name: string, target: string, url: string, real = "") =>
  `test "${name}" {
  ${real}
  given "api" { operation = "POST /${target}" }
  expect "api" { data = { url = ${url} } }
}
`;

test("a connector that can use its service does so in tests that are real", async () => {
  const report = await reportOf(
    SHELF + put("played", "a", '"memory"') +
      put("real", "a", '"https://shelf.example"', "real = true") +
      put("refused", "nothing", "null") +
      put("refused later", "later", "null"),
    { shelf: played },
  );
  assert.equal(
    report,
    `ok      played
ok      real
FAILED  refused
        @29  connector "shelf": cannot be played
FAILED  refused later
        @34  connector "shelf": cannot be played`,
  );
});
