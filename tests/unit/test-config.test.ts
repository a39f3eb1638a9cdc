import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectorType } from "../../src/contract/definition.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import type { TestModel } from "../../src/model/test.ts";
import { problemsOf } from "../support/config.ts";
import { CONNECTORS, types } from "./testing-support.ts";

/** A source that verifies its clients, which the others of these tests do not. */
const strict: ConnectorType = {
  fields: {},
  source: { kind: "clients", verifies: () => true },
  create: () => ({}),
};
/** A source of events that are nobody's messages, and no destination. */
const sensor: ConnectorType = { fields: {}, source: {}, create: () => ({}) };
const options = { connectors: { ...types, strict, sensor } };
const MORE = `connector "sensor" {
  type = "sensor"
}
`;
/** The line on which what follows the connectors begins. */
const L = (CONNECTORS + MORE).split("\n").length;

/** The problems of one test with this body; `@1` is the body's first line. */
async function inside(body: string): Promise<string[]> {
  return await below(`test "t" {\n${body}\n}\n`, 1);
}

/** The problems of these blocks; `@1` is their first line. */
async function below(blocks: string, skipped = 0): Promise<string[]> {
  const problems = await problemsOf(CONNECTORS + MORE + blocks, options);
  return problems.map((problem) =>
    problem.replace(/config\.hcl:(\d+)/g, (_, found) => `@${Number(found) - L + 1 - skipped}`)
  );
}

async function modelOf(body: string): Promise<TestModel> {
  const text = `${CONNECTORS}${MORE}test "t" {\n${body}\n}\n`;
  const { tests: [first] } = await loadConfig(text, options);
  return first;
}

test("a test becomes its clients, and its steps in the order written", async () => {
  const { name, clients, steps, place } = await modelOf(`
  expect "bob" { nothing = true }
  client "alice" {
    user_id = "a"
    rooms   = ["x", "y"]
    params  = { token = "t", n = 5 }
    headers = { X-One = true }
  }
  advance { by = "1h30m" }
  given "alice" {
    data = { text = "hi" }
    room = "x"
    id   = 7
  }
  given "alice" { text = "{" }
  client "bob" {}
  given "rabbit" {
    operation = "a.b"
    data      = [1, null]
    headers   = { n = 5 }
  }
  given "api" {
    operation = "POST /x?y=1"
    data      = { z = 1 }
    headers   = { Accept = "*/*" }
  }
  given "api" { operation = "GET /x" }
  given "api" {
    operation = "POST /x"
    text      = "{"
  }
  given "bob" { operation = "disconnect" }
  given "bob" { operation = "connect" }
  mock "db" {
    step    = "s"
    returns = [{ n = null }]
  }
  mock "mail" {
    operation = "send"
    target    = "t"
    error     = "is full"
    permanent = true
    delay     = "2s"
    times     = 3
  }
  expect "alice" {
    type = "ack"
    id   = 7
    data = null
  }
  expect "api" {
    status  = 201
    headers = { X-Two = 2 }
    count   = 0
  }`);
  const shown = steps.map(({ place: _, ...step }) => step);
  assert.equal(name, "t");
  assert.deepEqual(place, { file: "config.hcl", line: L, column: 1 });
  assert.deepEqual(clients.map(({ place: _, ...client }) => client), [
    {
      name: "alice",
      connector: "ws",
      userId: "a",
      claims: null,
      verified: false,
      sse: false,
      rooms: ["x", "y"],
      params: { token: "t", n: "5" },
      headers: { "x-one": "true" },
      remoteAddress: undefined,
      presence: undefined,
      reads: true,
      connects: true,
    },
    {
      name: "bob",
      connector: "ws",
      userId: null,
      claims: null,
      verified: false,
      sse: false,
      rooms: [],
      params: {},
      headers: {},
      remoteAddress: undefined,
      presence: undefined,
      reads: true,
      // It has disconnected before.
      connects: true,
    },
  ]);
  const nobody = { identity: undefined, remoteAddress: undefined };
  const mock = { kind: "mock", operation: undefined, target: undefined, error: undefined };
  assert.deepEqual(shown, [
    { kind: "expect", subject: "bob", nothing: true, fields: {}, count: undefined },
    { kind: "advance", by: 5_400_000 },
    {
      kind: "frame",
      subject: "alice",
      text: '{"type":"message","id":7,"data":{"text":"hi"},"room":"x"}',
      renewal: undefined,
      resumes: undefined,
    },
    { kind: "frame", subject: "alice", text: "{", renewal: undefined, resumes: undefined },
    {
      kind: "event",
      subject: "rabbit",
      operation: "a.b",
      data: [1, null],
      headers: { n: 5 },
      old: null,
    },
    {
      kind: "request",
      subject: "api",
      method: "POST",
      path: "/x?y=1",
      headers: { accept: "*/*" },
      body: '{"z":1}',
      ...nobody,
    },
    {
      kind: "request",
      subject: "api",
      method: "GET",
      path: "/x",
      headers: {},
      body: undefined,
      ...nobody,
    },
    {
      kind: "request",
      subject: "api",
      method: "POST",
      path: "/x",
      headers: {},
      body: "{",
      ...nobody,
    },
    { subject: "bob", kind: "disconnect", code: undefined },
    { subject: "bob", kind: "connect" },
    {
      ...mock,
      subject: "db",
      step: "s",
      returns: [{ n: null }],
      permanent: false,
      status: undefined,
      body: undefined,
      delay: 0,
      times: Infinity,
    },
    {
      ...mock,
      subject: "mail",
      step: undefined,
      operation: "send",
      target: "t",
      returns: undefined,
      error: "is full",
      permanent: true,
      status: undefined,
      body: undefined,
      delay: 2000,
      times: 3,
    },
    {
      kind: "expect",
      subject: "alice",
      nothing: false,
      fields: { type: "ack", data: null, id: 7 },
      count: undefined,
    },
    {
      kind: "expect",
      subject: "api",
      nothing: false,
      fields: { status: 201, headers: { "x-two": "2" } },
      count: 0,
    },
  ]);
});

test("a client whose first deed is to connect does not connect before", async () => {
  const { clients: [{ connects }] } = await modelOf(`
  client "alice" {}
  given "alice" { operation = "connect" }
  given "alice" { operation = "disconnect" }`);
  assert.equal(connects, false);
});

test("the place of a step is its block's", async () => {
  const { steps: [{ place }] } = await modelOf('\n  advance { by = "1s" }');
  assert.deepEqual(place, { file: "config.hcl", line: L + 2, column: 3 });
});

test("values may come from the environment and from constants", async () => {
  const text = `${CONNECTORS}constants { room = "lobby" }
test "t" {
  client "alice" {
    user_id = env("NAME")
    rooms   = [constants.room]
  }
  given "alice" { data = { room = "\${constants.room}!" } }
}
`;
  const { tests: [{ clients: [alice], steps: [step] }] } = await loadConfig(text, {
    ...options,
    env: () => "Ada",
  });
  assert.deepEqual([alice.userId, alice.rooms], ["Ada", ["lobby"]]);
  assert.equal(step.kind === "frame" && step.text, '{"type":"message","data":{"room":"lobby!"}}');
});

const cases: readonly [body: string, ...problems: string[]][] = [
  ['given "alic" {}', "@1:7+6 unknown-subject"],
  [
    'client "alice" {}\ngiven "alic" { data = 1 }',
    "@2:7+6 unknown-subject",
  ],
  [
    'expect "rabit" { nothing = true }',
    "@1:8+7 unknown-subject",
  ],
  [
    'mock "dbb" {}',
    "@1:6+5 unknown-connector",
  ],
  [
    "given {\n data = 1\n}",
    "@1:1+5 missing-name",
  ],
  ['mock "db" "x" {}', "@1:11+3 unexpected-label"],
  ['advance "x" { by = "1s" }', "@1:9+3 unexpected-label"],
  ["advance {}", "@1:1+7 missing-attribute"],
  [
    'advance { by = "soon" }',
    "@1:16+6 invalid-value",
  ],
  ['advance { by = "0s" }', "@1:16+4 invalid-value"],
  [
    "waits = 1",
    "@1:1+5 unknown-attribute",
  ],
  [
    'exspect "db" {}',
    "@1:1+7 unknown-block",
  ],
  // Real services.
  ['real = "maybe"\nadvance { by = "1s" }', "@1:8+7 invalid-value"],
  ["real = true", "@0:1+8 empty-block"],
  // Clients.
  [
    'client "alice" {}\nclient "alice" {}',
    "@2:1+14 duplicate-name",
  ],
  [
    'client "db" {}',
    "@1:8+4 duplicate-name",
  ],
  [
    'client "alice" { connector = "wss" }',
    "@1:30+5 unknown-connector",
  ],
  [
    'client "alice" { connector = "db" }',
    "@1:30+4 no-clients",
  ],
  [
    'client "alice" { rooms = "x" }',
    "@1:26+3 invalid-value",
  ],
  [
    'client "alice" { rooms = [1] }',
    "@1:26+3 invalid-value",
  ],
  [
    'client "alice" { params = { a = [] } }',
    "@1:27+10 invalid-value",
  ],
  [
    'client "alice" { headers = 5 }',
    "@1:28+1 invalid-value",
  ],
  [
    'client "alice" { user = "a" }',
    "@1:18+4 unknown-attribute",
  ],
  // What is given.
  [
    'given "ws" { data = 1 }',
    "@1:7+4 not-a-source",
  ],
  [
    'given "db" { data = 1 }',
    "@1:7+4 not-a-source",
  ],
  [
    'client "alice" {}\ngiven "alice" { headers = {} }',
    "@2:17+7 unknown-attribute",
  ],
  [
    'client "alice" {}\ngiven "alice" { id = true }',
    "@2:22+4 invalid-value",
  ],
  [
    'client "alice" {}\ngiven "alice" {\n  text = "{"\n  data = 1\n  id = 1\n}',
    "@4:3+4 unused-attribute",
    "@5:3+2 unused-attribute",
  ],
  [
    'client "alice" {}\ngiven "alice" {\n  operation = "connect"\n  room = "x"\n}',
    "@4:3+4 unused-attribute",
  ],
  [
    'given "rabbit" { data = 1 }',
    "@1:1+14 missing-attribute",
  ],
  [
    'given "rabbit" {\n  operation = "x"\n  room = "x"\n}',
    "@3:3+4 unknown-attribute",
  ],
  [
    'given "rabbit" {\n  operation = "x"\n  headers = "x"\n}',
    "@3:13+3 invalid-value",
  ],
  [
    'given "sensor" {\n  operation = "x"\n  headers = {}\n}',
    "@3:3+7 unknown-attribute",
  ],
  [
    'given "api" {\n  operation = "GET /x"\n  user_id = "a"\n  claims = {}\n}',
    "@3:3+7 unused-attribute",
    "@4:3+6 unused-attribute",
  ],
  [
    'given "api" {\n  operation = "GET /x"\n  remote_addr = "here"\n}',
    "@3:17+6 invalid-value",
  ],
  [
    'client "alice" { remote_addr = "1.2.3" }',
    "@1:32+7 invalid-value",
  ],
  [
    'client "alice" { reads = "no" }',
    "@1:26+4 invalid-value",
  ],
  [
    'client "alice" {}\ngiven "alice" {\n  reads = true\n  data = 1\n  operation = "x"\n}',
    "@4:3+4 unused-attribute",
    "@5:3+9 unused-attribute",
  ],
  [
    'client "alice" {}\ngiven "alice" {\n  operation = "auth"\n  claims = { sub = "a" }\n}',
    "@4:3+6 unused-attribute",
  ],
  [
    'client "alice" {}\ngiven "alice" {\n  operation = "connect"\n  user_id = "a"\n}',
    "@4:3+7 unused-attribute",
  ],
  ['given "api" {}', "@1:1+11 missing-attribute"],
  [
    'given "api" { operation = "get /x" }',
    "@1:27+8 invalid-operation",
  ],
  [
    'given "api" { operation = "GET x" }',
    "@1:27+7 invalid-operation",
  ],
  [
    'given "api" {\n  operation = "POST /"\n  text = "{"\n  data = 1\n}',
    "@4:3+4 unused-attribute",
  ],
  // Mocks.
  [
    'mock "db" {\n  returns = 1\n  error = "x"\n}',
    "@2:3+7 conflicting-attributes",
  ],
  [
    'mock "db" { permanent = true }',
    "@1:13+9 unused-attribute",
  ],
  [
    'mock "db" { times = 0 }',
    "@1:21+1 invalid-value",
  ],
  [
    'mock "db" { delay = 5 }',
    "@1:21+1 invalid-value",
  ],
  [
    'mock "sensor" {}',
    "@1:6+8 not-a-destination",
  ],
  // What is expected.
  [
    'client "alice" {}\nexpect "alice" {\n  nothing = true\n  data = 1\n  count = 1\n}',
    "@4:3+4 conflicting-attributes",
    "@5:3+5 conflicting-attributes",
  ],
  [
    'expect "db" {}',
    "@1:1+11 empty-block",
  ],
  [
    'expect "db" { nothing = false }',
    "@1:1+11 empty-block",
  ],
  [
    'client "alice" {}\nexpect "alice" { target = "x" }',
    "@2:18+6 unknown-attribute",
  ],
  [
    'expect "db" { status = 200 }',
    "@1:15+6 unknown-attribute",
  ],
  [
    'expect "api" { operation = "x" }',
    "@1:16+9 unknown-attribute",
  ],
  [
    'expect "api" { status = 20 }',
    "@1:25+2 invalid-value",
  ],
  [
    'expect "rabbit" { count = -1 }',
    "@1:27+2 invalid-value",
  ],
  [
    'expect "sensor" { data = 1 }',
    "@1:19+4 unknown-attribute",
  ],
];

for (const [body, ...problems] of cases) {
  test(`a mistake in a test is reported at its place: ${body.replaceAll("\n", " ")}`, async () => {
    assert.deepEqual(await inside(body), problems);
  });
}

test("an empty test does nothing", async () => {
  assert.deepEqual(await below('test "t" {}\n'), [
    "@1:1+8 empty-block",
  ]);
});

test("a test that wants real services needs a connector that has one", async () => {
  const api = 'connector "api" {\n  type = "rest"\n  port = 0\n}\n';
  const real = 'test "t" {\n  real = true\n  advance { by = "1s" }\n}\n';
  assert.deepEqual(await problemsOf(api + real), ["config.hcl:6:3+4 unused-attribute"]);
  const broken = 'connector "db" {\n  type = "database"\n}\n';
  const codes = await problemsOf(api + broken + real);
  assert.ok(!codes.some((code) => code.endsWith("unused-attribute")), codes.join());
});

test("tests need names of their own", async () => {
  assert.deepEqual(await below('test "t" {\n}\ntest {}\ntest "t" {}\n'), [
    "@1:1+8 empty-block",
    "@3:1+4 missing-name",
    "@4:1+8 duplicate-name",
  ]);
});

test("where several connectors have clients a client says which", async () => {
  const other = 'connector "ws2" {\n  type = "websocket"\n  port = 1\n}\n';
  const lines = other.split("\n").length - 1;
  const problems = await below(`${other}test "t" {\n  client "alice" {}\n}\n`, lines + 1);
  assert.deepEqual(problems, [
    "@1:3+14 missing-attribute",
  ]);
  const good = `${other}test "t" {\n  client "alice" { connector = "ws2" }\n}\n`;
  assert.deepEqual(await below(good), []);
});

test("without a connector that has clients there is nothing to connect to", async () => {
  assert.deepEqual(await problemsOf('test "t" {\n  client "alice" {}\n}\n'), [
    "config.hcl:2:3+14 no-clients",
  ]);
});

test("a client has claims where its connector verifies who connects", async () => {
  const text = (type: string, rest = "") =>
    `connector "s" {
  type = "${type}"
${rest}}
test "t" {
  client "alice" {
    user_id = "a"
    claims  = { role = "staff" }
  }
}
`;
  const model = await loadConfig(text("strict"), options);
  const [{ userId, claims, verified }] = model.tests[0].clients;
  assert.deepEqual([userId, claims, verified], ["a", { role: "staff" }, true]);
  assert.deepEqual(await problemsOf(text("websocket", "port = 0\n"), options), [
    "config.hcl:8:5+6 unused-attribute",
  ]);
  const bad = text("strict").replace('{ role = "staff" }', '"staff"');
  assert.equal((await problemsOf(bad, options))[0], "config.hcl:7:15+7 invalid-value");
});

test("a name that stands in a broken file is no problem of its own", async () => {
  const files = [
    { path: "a.hcl", text: 'connector "broken" {\n  type = "\n}\n', folder: "." },
    {
      path: "b.hcl",
      text: 'test "t" {\n  given "broken" { data = 1 }\n  expect "broken" { data = 1 }\n}\n',
      folder: ".",
    },
  ];
  const problems = await problemsOf(files, options);
  assert.deepEqual(problems.filter((problem) => problem.startsWith("b.hcl")), []);
});
