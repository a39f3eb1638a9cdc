import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import { ConfigError } from "../../src/base/errors.ts";
import type { Expression } from "../../src/expression/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { attribute } from "../../src/contract/fields.ts";
import { integer, text } from "../../src/contract/value-schema.ts";
import { filesOf, problemsOf } from "../support/config.ts";
import { seeded } from "../support/random.ts";

const about = "For the test.";

/** A source with clients and a destination, whose checks have something to say about "bad". */
const line: ConnectorType = defineConnector({
  fields: { channel: attribute(integer(), { about, default: 1 }) },
  check: ({ channel }) =>
    channel === 13 ? [{ attribute: "channel", message: "takes no 13", hint: "take 12" }] : [],
  address: ({ channel }) => channel === 0 ? undefined : `channel ${channel}`,
  source: {
    kind: "clients",
    check: (operation) =>
      operation === "bad" ? [{ attribute: "operation", message: "has no such event" }] : [],
  },
  destination: {
    fields: { tag: attribute(text(), { about }) },
    operations: ["send", "send_twice"],
    check: ({ target }) => target === undefined ? [{ message: "needs a target" }] : [],
    creates: ({ operation }) => operation === "send_twice",
  },
  create: () => ({}),
});
/** A source without clients and no destination. */
const clock: ConnectorType = defineConnector({ fields: {}, source: {}, create: () => ({}) });
/** A destination that takes any operation, and no source. */
const sink: ConnectorType = defineConnector({
  fields: {},
  destination: { fields: {} },
  create: () => ({}),
});
const options = { connectors: { line, clock, sink } };

const CONNECTORS = `connector "in" {
  type = "line"
}
connector "tick" {
  type = "clock"
}
connector "out" {
  type = "sink"
}
`;
/** The line on which what follows the connectors begins. */
const L = CONNECTORS.split("\n").length;

/** The problems of these blocks below three good connectors; `@1` is the first line of the blocks. */
async function below(blocks: string): Promise<string[]> {
  const problems = await problemsOf(CONNECTORS + blocks, options);
  return problems.map((problem) =>
    problem.replace(/^config\.hcl:(\d+)/, (_, found) => `@${Number(found) - L + 1}`)
  );
}

test("a good configuration becomes its model", async () => {
  const model = await loadConfig(
    `${CONNECTORS}
    constants {
      room = "lobby"
    }
    flow "b" {
      from {
        connector = "in"
        operation = "message"
        filter    = "input.text != ''"
      }
      transform {
        z = "input.text"
        a = "output.z + client.id"
      }
      to {
        connector = "in"
        operation = "send_twice"
        target    = "constants.room"
        tag       = "t"
        when      = "output.a != ''"
      }
      to {
        connector = "out"
        operation = "whatever"
        target    = "plain"
      }
      response {
        id = "outputs[0].id"
      }
    }
    flow "a" {
      when = "@every 5s"
    }`,
    options,
  );
  assert.deepEqual([...model.connectors.keys()], ["in", "tick", "out"]);
  const found = model.connectors.get("in");
  assert.deepEqual([found?.name, found?.type, found?.options], ["in", "line", { channel: 1 }]);
  assert.equal(found?.definition, line);
  assert.deepEqual(model.constants, { room: "lobby" });
  assert.deepEqual(model.flows.map(({ name }) => name), ["b", "a"]);

  const [b, a] = model.flows;
  assert.ok(b.source.kind === "connector");
  assert.deepEqual([b.source.connector, b.source.operation], ["in", "message"]);
  assert.equal(b.source.filter?.source, "input.text != ''");
  assert.deepEqual(b.transform?.lines.map(([name]) => name), ["z", "a"]);
  const [first, second] = b.to;
  assert.deepEqual([first.connector, first.operation, first.creates], ["in", "send_twice", true]);
  assert.deepEqual(first.options, { tag: "t" });
  assert.equal((first.target as Expression).source, "constants.room");
  assert.equal(first.when?.source, "output.a != ''");
  assert.deepEqual(
    [second.operation, second.target, second.when, second.creates],
    ["whatever", "plain", undefined, false],
  );
  assert.deepEqual(b.response?.map(([name]) => name), ["id"]);

  assert.deepEqual(a.source, { kind: "schedule", when: { every: 5000 } });
  assert.deepEqual([a.transform, a.to, a.response], [undefined, [], undefined]);
});

test("no file, an empty file and one with nothing but comments are good", async () => {
  for (const source of ["", "# nothing\n", [], filesOf({ "a.hcl": "", "b.hcl": "\n" })]) {
    const model = await loadConfig(source);
    assert.deepEqual([model.connectors.size, model.flows.length, model.constants], [0, 0, {}]);
  }
});

test("what may stand at the top of a file", async () => {
  const found: ReadonlyArray<readonly [text: string, ...problems: string[]]> = [
    ["port = 1\n", "@1:1+4 unknown-attribute"],
    ['conector "a" {\n}\n', "@1:1+8 unknown-block"],
    ["nothing {\n}\n", "@1:1+7 unknown-block"],
    ["__proto__ {\n}\n", "@1:1+9 unknown-block"],
    ['constants "x" {\n}\n', "@1:11+3 unexpected-label"],
  ];
  for (const [text, ...problems] of found) assert.deepEqual(await below(text), problems, text);
});

test("names of connectors and flows", async () => {
  const flow = 'when = "@every 1s"';
  const found: ReadonlyArray<readonly [text: string, ...problems: string[]]> = [
    [
      'connector {\n  type = "line"\n}\n',
      "@1:1+9 missing-name",
    ],
    [
      'connector "" {\n}\n',
      "@1:1+12 missing-name",
    ],
    [`flow {\n  ${flow}\n}\n`, "@1:1+4 missing-name"],
    [`flow "a" "b" {\n  ${flow}\n}\n`, "@1:10+3 unexpected-label"],
    [
      'connector "in" {\n  type = "line"\n  channel = 7\n}\n',
      "@1:1+14 duplicate-name",
    ],
    [
      `flow "a" {\n  ${flow}\n}\nflow "a" {\n  nonsense = 1\n}\n`,
      "@4:1+8 duplicate-name",
    ],
    // A flow may be called as a connector is, and names of prototypes are names.
    [`flow "in" {\n  ${flow}\n}\nflow "__proto__" {\n  ${flow}\n}\n`],
    ['connector "__proto__" {\n  type = "sink"\n}\nconnector "constructor" {\n  type = "sink"\n}\n'],
  ];
  for (const [text, ...problems] of found) assert.deepEqual(await below(text), problems, text);
});

test("the type of a connector", async () => {
  const found: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    ["", "@1:1+13 missing-attribute"],
    ["type = 1", "@2:8+1 invalid-value"],
    ['type = ["line"]', "@2:8+8 invalid-value"],
    ['type = ""', "@2:8+2 unknown-connector-type"],
    [
      'type = "lien"',
      "@2:8+6 unknown-connector-type",
    ],
    [
      'type = "toString"',
      "@2:8+10 unknown-connector-type",
    ],
    [
      'type = "__proto__"',
      "@2:8+11 unknown-connector-type",
    ],
    [
      'type = env("TYPE")',
      "@2:8+11 env-not-set",
    ],
    ['type = "line"\nchannel = 13', "@3:11+2 connector-rule"],
  ];
  for (const [body, ...problems] of found) {
    assert.deepEqual(await below(`connector "c" {\n${body}\n}\n`), problems, body);
  }
});

test("a foreign connector takes precedence over a built-in one of its name", async () => {
  const source = 'connector "ws" {\n  type = "websocket"\n}\n';
  const model = await loadConfig(source, { connectors: { websocket: sink } });
  assert.equal(model.connectors.get("ws")?.definition, sink);
  assert.deepEqual(await problemsOf(source), [
    "config.hcl:1:1+14 missing-attribute",
  ]);
});

test("two connectors on one address", async () => {
  const connector = (name: string, channel: string) =>
    `connector "${name}" {\n  type = "line"\n  channel = ${channel}\n}\n`;
  assert.deepEqual(await below(connector("a", "7") + connector("b", "8")), []);
  assert.deepEqual(await below(connector("a", "7") + connector("b", "7") + connector("c", "7")), [
    "@5:1+13 duplicate-address",
    "@9:1+13 duplicate-address",
  ]);
  assert.deepEqual(await below(connector("a", "0") + connector("b", "0")), []);
  assert.deepEqual(await below(connector("a", "1")), [
    "@1:1+13 duplicate-address",
  ]);
  // Where the address itself is wrong, nobody shares it.
  assert.deepEqual(await below(connector("a", "-7") + connector("b", "-7")), [
    "@3:13+2 invalid-value",
    "@7:13+2 invalid-value",
  ]);
});

test("two websocket connectors: one listener is fine, one path on it is not", async () => {
  const ws = (name: string, rest: string) =>
    `connector "${name}" {\n  type = "websocket"\n  ${rest}\n}\n`;
  const same = [ws("a", "port = 1"), ws("b", "port = 1")].join("");
  assert.deepEqual(await problemsOf(same), [
    "config.hcl:5:1+13 duplicate-address",
  ]);
  for (const other of ["port = 2", 'port = 1\n  path = "/b"', 'port = 1\n  host = "127.0.0.1"']) {
    assert.deepEqual(await problemsOf(ws("a", "port = 1") + ws("b", other)), [], other);
  }
  const free = ws("a", "port = 0") + ws("b", "port = 0");
  assert.deepEqual(await problemsOf(free), [
    "config.hcl:5:1+13 duplicate-address",
  ]);
  assert.deepEqual(await problemsOf(ws("a", "") + ws("b", "")), [
    "config.hcl:1:1+13 missing-attribute",
    "config.hcl:5:1+13 missing-attribute",
  ]);
});

test("a websocket's own checks", async () => {
  const path = (written: string) => `config.hcl:4:8+${written.length + 2} invalid-path`;
  for (const written of ["ws", "", "/a?b", "/a#b", "/a/../b", "/a b", "//", "//a", "http://a/b"]) {
    const source = `connector "a" {\n  type = "websocket"\n  port = 1\npath = "${written}"\n}\n`;
    assert.deepEqual(await problemsOf(source), [path(written)]);
  }
  const beat = (ping: string, pong: string) =>
    `connector "a" {\n  type = "websocket"\n  port = 1\n  ping_interval = "${ping}"\n  pong_timeout = "${pong}"\n}\n`;
  assert.deepEqual(await problemsOf(beat("10s", "10s")), []);
  assert.deepEqual(await problemsOf(beat("10s", "10001ms")), [
    "config.hcl:5:18+9 invalid-limits",
  ]);
});

test("what starts a flow: from or when", async () => {
  const found: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    ["", "@1:1+8 missing-source"],
    ['from {\n  connector = "in"\n}'],
    ['when = "*/5 * * * *"'],
    [
      'from {\n  connector = "in"\n}\nwhen = "@every 5s"',
      "@5:1+4 conflicting-attributes",
    ],
    [
      'when = "@every soon"',
      "@2:8+13 invalid-schedule",
    ],
    [
      "when = 5",
      "@2:8+1 invalid-schedule",
    ],
    ["when = true", "@2:8+4 invalid-value"],
    ["from {\n}", "@2:1+4 missing-attribute"],
    ["from {\n  connector = true\n}", "@3:15+4 invalid-value"],
    ['from {\n  connector = ""\n}', "@3:15+2 unknown-connector"],
    ["from {\n  connector = 5\n}", "@3:15+1 unknown-connector"],
    [
      'from {\n  connector = "inn"\n}',
      "@3:15+5 unknown-connector",
    ],
    [
      'from {\n  connector = "__proto__"\n}',
      "@3:15+11 unknown-connector",
    ],
    ['from {\n  connector = "out"\n}', "@3:15+5 not-a-source"],
    [
      'from {\n  connector = "in"\n  operation = "bad"\n}',
      "@4:15+5 connector-rule",
    ],
    ['from {\n  connector = "tick"\n  operation = "bad"\n}'],
    [
      'from {\n  connector = "in"\n}\nfrom {\n  connector = "tick"\n}',
      "@5:1+4 duplicate-block",
    ],
    [
      'from {\n  connector = "in"\n  filter = "nope"\n}',
      "@4:13+4 unknown-variable",
    ],
    ['from "x" {\n  connector = "in"\n}', "@2:6+3 unexpected-label"],
    [
      'from {\n  connector = env("NO")\n}',
      "@3:15+9 env-not-set",
    ],
  ];
  for (const [body, ...problems] of found) {
    assert.deepEqual(await below(`flow "f" {\n${body}\n}\n`), problems, body);
  }
});

test("where a flow ends", async () => {
  const to = (rest: string) => `to {\n${rest}\n}`;
  const found: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    [to('connector = "out"')],
    [to(""), "@3:1+2 missing-attribute"],
    [to("connector = true"), "@4:13+4 invalid-value"],
    [to('connector = ""'), "@4:13+2 unknown-connector"],
    [to("connector = 5"), "@4:13+1 unknown-connector"],
    [
      to('connector = "outt"'),
      "@4:13+6 unknown-connector",
    ],
    // What an unknown connector would have taken nobody knows; what all take is checked.
    [
      to('connector = "elsewhere"\nexchange = "x"\nwhen = "nope"'),
      "@4:13+11 unknown-connector",
      "@6:9+4 unknown-variable",
    ],
    [to('connector = "tick"'), "@4:13+6 not-a-destination"],
    [to('connector = "in"\noperation = "send"'), "@3:1+2 connector-rule"],
    [
      to('connector = "in"\noperation = "sned"\ntarget = "t"'),
      "@5:13+6 unknown-operation",
    ],
    [
      to('connector = "in"\noperation = "publish"'),
      "@5:13+9 unknown-operation",
    ],
    [
      to('connector = "in"\ntarget = "t"\ntga = "x"'),
      "@6:1+3 unknown-attribute",
    ],
    [
      to('connector = "out"\ntarget = "input.x +"'),
      "@5:20+1 expression-syntax",
    ],
    [to('connector = "out"\nwhen = "output.ready && input.x"')],
    ['to "x" "y" {\nconnector = "out"\n}', "@3:8+3 unexpected-label"],
  ];
  for (const [body, ...problems] of found) {
    assert.deepEqual(await below(`flow "f" {\nwhen = "@every 1s"\n${body}\n}\n`), problems, body);
  }
});

test("which variables an expression of a flow may use", async () => {
  const flow = (from: string, lines: string) => `flow "f" {\n${from}\n${lines}\n}\n`;
  const clients = 'from { connector = "in" }';
  const none = 'from { connector = "tick" }';
  const found: ReadonlyArray<readonly [text: string, ...problems: string[]]> = [
    [flow(clients, 'transform { a = "client.id" }')],
    [flow(none, 'transform { a = "client.id" }'), "@3:18+6 unknown-variable"],
    [flow('when = "@every 1s"', 'transform { a = "client.id" }'), "@3:18+6 unknown-variable"],
    [flow(clients, 'transform { a = "context.params.x" }')],
    [
      flow(clients, 'transform { a = "outputs" }'),
      "@3:18+7 unknown-variable",
    ],
    [flow(clients, 'response { a = "outputs[0].x + output.x" }')],
    [
      flow('from {\nconnector = "in"\nfilter = "output.x"\n}', ""),
      "@4:11+6 unknown-variable",
    ],
    [
      flow(none, 'to {\nconnector = "out"\ntarget = "client.id"\n}'),
      // No variable is mentioned where there are no clients, so it is a name.
    ],
    [
      flow(none, 'to {\nconnector = "out"\nwhen = "client.id == null"\n}'),
      "@5:9+6 unknown-variable",
    ],
  ];
  for (const [text, ...problems] of found) {
    assert.deepEqual(await below(text), problems, text);
  }
});

test("where nobody knows the source, `client` is no problem of its own", async () => {
  const lines = 'response { a = "client.id" }';
  assert.deepEqual(await below(`flow "f" {\nfrom { connector = "nowhere" }\n${lines}\n}\n`), [
    "@2:20+9 unknown-connector",
  ]);
  assert.deepEqual(await below(`flow "f" {\n${lines}\n}\n`), [
    "@1:1+8 missing-source",
  ]);
  assert.deepEqual(
    await below(`connector "odd" {\n}\nflow "f" {\nfrom { connector = "odd" }\n${lines}\n}\n`),
    [
      "@1:1+15 missing-attribute",
    ],
  );
  assert.deepEqual(await below(`flow "f" {\nfrom {\n}\n${lines}\n}\n`), [
    "@2:1+4 missing-attribute",
  ]);
});

test("what a flow does not have", async () => {
  const found = await below(`flow "f" {
  when = "@every 1s"
  timout = "1s"
  transfrom {
  }
  transform {
    a = "1"
    b {
    }
  }
  transform {
  }
  response {
    a = 1
  }
}
`);
  assert.deepEqual(found, [
    "@3:3+6 unknown-attribute",
    "@4:3+9 unknown-block",
    "@8:5+1 unknown-block",
    "@11:3+9 duplicate-block",
    "@14:9+1 invalid-value",
  ]);
});

test("several files are one configuration; problems come by file and line", async () => {
  const files = filesOf({
    "z.hcl":
      'flow "z" {\n  from { connector = "in" }\n  to {\n    connector = "ot"\n  }\n}\nx = 1\n',
    "a.hcl": `${CONNECTORS}constants {\n  a = 1\n}\nflow "z" {\n}\n`,
    "m.hcl": "constants {\n  a = 2\n}\ny = constants.b\n",
  });
  assert.deepEqual(await problemsOf(files, options), [
    "z.hcl:4:17+4 unknown-connector",
    "z.hcl:7:1+1 unknown-attribute",
    "a.hcl:13:1+8 duplicate-name",
    "m.hcl:2:3+1 duplicate-name",
    "m.hcl:4:1+1 unknown-attribute",
    "m.hcl:4:15+1 unknown-constant",
  ]);
});

test("flows keep the order of files and lines, whatever the names", async () => {
  const flow = (name: string) => `flow "${name}" {\n  when = "@daily"\n}\n`;
  const files = filesOf({ "b.hcl": flow("2") + flow("1"), "a.hcl": flow("0") });
  const { flows } = await loadConfig(files);
  assert.deepEqual(flows.map(({ name }) => name), ["2", "1", "0"]);
});

test("a file that cannot be parsed: its place, the other files, and no problems of its making", async () => {
  const files = filesOf({
    "a.hcl": `connector "in" {\n  type = "line\n}\nconnector "db" {\n}\nconstants {\n}\n`,
    "b.hcl": [
      'flow "f" {',
      "  from {",
      '    connector = "in"',
      '    operation = "bad"',
      "  }",
      '  transform { a = "client.id" }',
      '  to { connector = "db" }',
      '  to { connector = "dbb" }',
      "  wrong = 1",
      "}",
    ].join("\n"),
  });
  assert.deepEqual(await problemsOf(files, options), [
    "a.hcl:2:10+5 syntax-error",
    "b.hcl:8:20+5 unknown-connector",
    "b.hcl:9:3+5 unknown-attribute",
  ]);
});

test("a flow of a broken file may stand in another one, too, without being a second", async () => {
  const files = filesOf({
    "a.hcl": 'flow "f" {\n  when = \n}\n',
    "b.hcl": 'flow "f" {\n  when = "@daily"\n}\n',
  });
  const problems = await problemsOf(files, options);
  assert.deepEqual(problems, ["a.hcl:2:10+1 syntax-error"]);
});

test("all problems come at once, and none twice", async () => {
  const source = `${CONNECTORS}
flow "a" {
  from { connector = "nowhere" }
  to { connector = "nowhere" }
}
flow "a" {
}
connector "in" {
}
flow "b" {
}
`;
  const problems = await problemsOf(source, options);
  assert.equal(problems.length, 5);
  assert.equal(new Set(problems).size, 5);
  await assert.rejects(loadConfig(source, options), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.message.split("\n\n").length, 5);
    return true;
  });
});

test("whatever lines are lost or doubled, there is a model or a ConfigError", async () => {
  const source = `connector "ws" {
  type = "websocket"
  port = 3001
  path = "/ws"
  ping_interval = "30s"
}
connector "db" {
  type = "database"
  driver = "sqlite"
  database = ":memory:"
}
connector "events" {
  type = "mq"
  driver = "memory"
  exchange {
    name = "e"
  }
  consumer {
    prefetch = 5
    dlq {
      max_retries = 1
      queue = "dead"
    }
  }
}
connector "api" {
  type = "rest"
  port = 3001
  cors = ["https://example.com"]
}
flow "a" {
  from {
    connector = "ws"
    operation = "message"
    filter = "input.text != ''"
  }
  transform {
    text = "input.text"
  }
  to {
    connector = "db"
    target = "t"
    operation = "UPDATE"
    key = "id"
  }
  to {
    connector = "events"
    target = "'a.' + input.x"
  }
  response {
    id = "output.id"
  }
}
flow "b" {
  from {
    connector = "events"
    operation = "a.*"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target = "input.room"
  }
}
flow "c" {
  from {
    connector = "api"
    operation = "POST /x/:y"
  }
  to {
    connector = "db"
    query = "SELECT 1 WHERE :a"
    params = { a = "1" }
  }
}
flow "d" {
  when = "@every 1s"
}`;
  assert.deepEqual(await problemsOf(source), []);
  const values = ['""', "null", "true", "-1", "[]", "{}", '"nope"', 'env("NO")', '"${1}"', "1e99"];
  const random = seeded(3);
  let refused = 0;
  for (let round = 0; round < 400; round++) {
    const lines = source.split("\n");
    for (let change = 1 + random.below(3); change > 0; change--) {
      const at = random.below(lines.length);
      const action = random.below(4);
      if (action === 0) lines.splice(at, 1);
      else if (action === 1) lines.splice(at, 0, random.pick(lines));
      else if (lines[at].includes(" = ")) {
        lines[at] = lines[at].replace(/= .*/, `= ${random.pick(values)}`);
      }
    }
    // Any other error fails the test.
    const problems = await problemsOf(lines.join("\n"));
    if (problems.length > 0) refused++;
    assert.equal(new Set(problems).size, problems.length, problems.join("\n"));
    assert.ok(problems.every((problem) => !problem.includes("undefined")), problems.join("\n"));
  }
  assert.ok(refused > 200 && refused < 400);
});
