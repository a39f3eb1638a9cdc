import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import type { Problem, ProblemCode } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { readConfigFiles } from "../../src/server/files.ts";
import { codeOf } from "../support/problems.ts";

/**
 * A mistake: what of which line becomes what, and the code of its one problem. The problem is in the
 * first line of the replacement, or in the last line before its end that begins with `at`.
 */
type Mistake = readonly [line: string, replacement: string, code: ProblemCode, at?: string];

/** Names every kind of block, and everything refers to something else. */
const CONFIG = `constants {
  floor = 3
}
connector "ws" {
  type = "websocket"
  port = 3001
  auth {
    jwt {
      secret = "0123456789abcdef0123456789abcdef"
    }
  }
  room "orders:{id}" {
    step "order" {
      connector = "db"
      query     = "SELECT 1"
    }
    join = "step.order != null"
  }
}
connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = ":memory:"
}
connector "events" {
  type   = "mq"
  driver = "memory"
}
type "message" {
  text   = string({ max_length = 9 })
  author = person
}
type "person" {
  name = string
}
transform "stamped" {
  at = "now()"
}
flow "say" {
  from {
    connector = "ws"
    operation = "say"
    filter    = "client.user_id != null && input.text.size() > constants.floor"
  }
  validate {
    input = "message"
  }
  accept {
    step "friend" {
      connector = "db"
      query     = "SELECT 1"
    }
    when = "step.friend != null"
  }
  step "author" {
    connector = "db"
    query     = "SELECT :id AS name"
    params    = { id = "client.user_id" }
  }
  transform {
    use   = "transform.stamped"
    name  = "step.author.name"
    order = "match.id"
  }
  dedupe {
    key   = "input.message_id"
    ttl   = "1m"
    store = "db"
  }
  to {
    connector = "db"
    target    = "messages"
  }
  to {
    connector      = "ws"
    operation      = "send_to_room"
    target         = "input.room"
    exclude_sender = true
  }
  error_handling {
    fallback {
      connector = "events"
      target    = "failed"
    }
  }
}
flow "told" {
  from {
    connector = "events"
    operation = "failed"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
test "what is said is stored" {
  client "ada" {
    user_id = "ada"
    rooms   = ["orders:1"]
  }
  client "bob" {
    claims = { role = "staff" }
  }
  mock "db" {
    returns = {}
  }
  given "ada" {
    operation = "say"
    room      = "orders:1"
    data      = { text = "hello" }
  }
  expect "db" {
    target = "messages"
  }
  expect "bob" {
    nothing = true
  }
}
`;

const MISTAKES: readonly Mistake[] = [
  // A connector that nobody can read.
  ['  type = "websocket"\n', "", "missing-attribute", 'connector "ws" {'],
  ['  type = "websocket"', '  type = "websokcet"', "unknown-connector-type"],
  ['  type = "websocket"', "  type = 5", "invalid-value"],
  ['  type = "websocket"', '  type = env("UNSET")', "env-not-set"],
  ['  type = "websocket"', '  tpye = "websocket"', "missing-attribute", 'connector "ws" {'],
  ['  type     = "database"\n', "", "missing-attribute", 'connector "db" {'],
  ['  driver   = "sqlite"', '  driver   = "sqlight"', "invalid-value"],
  ['  driver = "memory"\n', "", "missing-attribute", 'connector "events" {'],
  ['connector "ws" {', "connector {", "missing-name"],
  ['connector "db" {', "connector {", "missing-name"],
  ['connector "ws" {', 'conector "ws" {', "unknown-block"],
  ["  port = 3001", "  prot = 3001", "unknown-attribute"],
  ["  port = 3001", "  port = 3001\n  compress = true", "unknown-attribute", "  compress"],
  // What hangs on a room, a step, a type, a transform or a constant.
  ['  room "orders:{id}" {', "  room {", "missing-name"],
  ['  room "orders:{id}" {', '  roon "orders:{id}" {', "unknown-block"],
  ['  room "orders:{id}" {', '  room "orders:{id" {', "invalid-pattern"],
  ['    step "order" {', "    step {", "missing-name"],
  ['    step "order" {', '    stp "order" {', "unknown-block"],
  ['    step "friend" {', '    stp "friend" {', "unknown-block"],
  ['  step "author" {', "  step {", "missing-name"],
  ['  step "author" {', '  stpe "author" {', "unknown-block"],
  ['type "person" {', "type {", "missing-name"],
  ['type "person" {', 'tpye "person" {', "unknown-block"],
  ['type "message" {', 'typ "message" {', "unknown-block"],
  ["  text   = string({ max_length = 9 })", "  text   = strin", "unknown-type"],
  ["  name = string\n", "", "empty-block", 'type "person" {'],
  ['transform "stamped" {', "transform {", "missing-name"],
  ['transform "stamped" {', 'transfrom "stamped" {', "unknown-block"],
  ['  at = "now()"', '  at = "now("', "expression-syntax"],
  ["constants {", "constnats {", "unknown-block"],
  ["  floor = 3", '  floor = env("UNSET")', "env-not-set"],
  // What hangs on a flow's source, and on the parts of its blocks.
  [
    '    connector = "ws"\n    operation = "say"',
    '    operation = "say"',
    "missing-attribute",
    "  from {",
  ],
  ['    operation = "say"', '    operation = env("UNSET")', "env-not-set"],
  ["  from {", "  form {", "unknown-block"],
  ['    connector      = "ws"', '    connector      = "sw"', "unknown-connector"],
  ['    connector      = "ws"\n', "", "missing-attribute", "  to {"],
  ['    operation      = "send_to_room"', '    operation      = env("UNSET")', "env-not-set"],
  ['    target         = "input.room"', '    target         = env("UNSET")', "env-not-set"],
  ['    target         = "input.room"', '    target         = "input.("', "expression-syntax"],
  [
    '    target         = "input.room"',
    '    tragte         = "input.room"',
    "unknown-attribute",
  ],
  ['    query     = "SELECT :id AS name"', '    query     = env("UNSET")', "env-not-set"],
  // What hangs on the parts of a test.
  ['  client "ada" {', "  client {", "missing-name"],
  ['  client "ada" {', '  clinet "ada" {', "unknown-block"],
  // An attribute that is written as a block.
  ["  from {", "  when {\n  }\n  from {", "unknown-block"],
  ["  from {", "  when {", "unknown-block"],
  [
    '    store = "db"',
    '    store = "db"\n    max_keys {\n    }',
    "unknown-block",
    "    max_keys {",
  ],
  ["    returns = {}", "    returns = {}\n    error {\n    }", "unknown-block", "    error {"],
  ["    nothing = true", "    nothing = true\n    data {\n    }", "unknown-block", "    data {"],
];

/** Twice the same, of each kind of block. */
const TWICE = ["connector", "type", "transform", "flow", "test"];

async function problemsOf(...texts: readonly string[]): Promise<readonly Problem[]> {
  const files = texts.map((text, index) => ({ path: `${index}.hcl`, text, folder: "." }));
  try {
    return (await loadConfig(files, { embedded: false })).warnings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

/** A problem as `file:line code`. */
function linedCode(problem: Problem): string {
  return `${problem.file}:${problem.line} ${codeOf(problem)}`;
}

/** The line of a place in a text, from 1. */
function lineAt(text: string, place: number): number {
  return text.slice(0, place).split("\n").length;
}

test("the configuration without a mistake has no problem", async () => {
  assert.deepEqual(await problemsOf(CONFIG), []);
});

for (const [line, replacement, code, at] of MISTAKES) {
  test(`one problem: ${JSON.stringify(line)} becomes ${JSON.stringify(replacement)}`, async () => {
    assert.ok(CONFIG.includes(line), "the configuration has no such line");
    const text = CONFIG.replace(line, () => replacement);
    const start = CONFIG.indexOf(line);
    const place = at === undefined
      ? start
      : text.lastIndexOf(`\n${at}`, start + replacement.length) + 1;
    const found = await problemsOf(text);
    assert.deepEqual(found.map(linedCode), [`0.hcl:${lineAt(text, place)} ${code}`]);
  });
}

test("one problem: claims as a block, for a connector that reads no tokens", async () => {
  const text = CONFIG.replace(/ {2}auth \{[^]*?\n {2}\}\n/, "")
    .replace('claims = { role = "staff" }', "claims {\n    }");
  // Without tokens, a warning says that anybody can choose a user_id.
  const found = (await problemsOf(text)).filter(({ code }) => code !== "unverified-user");
  const line = lineAt(text, text.indexOf("    claims {"));
  assert.deepEqual(found.map(linedCode), [`0.hcl:${line} unknown-block`]);
});

for (const kind of TWICE) {
  test(`one problem: a ${kind} stands twice`, async () => {
    const [first] = new RegExp(`^${kind} "[^]*?^}\n`, "m").exec(CONFIG) ?? [];
    const found = await problemsOf(CONFIG, first ?? "");
    assert.deepEqual(found.map(linedCode), ["1.hcl:1 duplicate-name"]);
  });
}

test("one problem: a file with a syntax error, whatever other files name in it", async () => {
  const blocks = CONFIG.split(/^(?=\w)/m);
  for (const [index, block] of blocks.entries()) {
    const others = [...blocks.slice(0, index), ...blocks.slice(index + 1)].join("");
    const broken = [
      block.replace(" {\n", "\n"),
      `${block}???\n`,
      block.replace(/\}\n$/, ""),
      block.replace(/"\n/, "\n"),
    ];
    for (const text of broken) {
      if (text === block) continue;
      const found = await problemsOf(text, others);
      const elsewhere = found.filter(({ file }) => file !== "0.hcl");
      assert.deepEqual(elsewhere, [], text);
      assert.notEqual(found.length, 0);
    }
  }
});

test("a connector without its type is one problem of every example", async () => {
  for (const name of ["auth", "chat", "dashboard", "iot", "notifications", "rabbitmq"]) {
    const files = await readConfigFiles(`examples/${name}`);
    // Two examples warn of their presence without auth.
    const expected = [
      "env-not-set",
      ...(["chat", "iot"].includes(name) ? ["unverified-user"] : []),
    ];
    for (const file of files) {
      for (const { index } of file.text.matchAll(/^ {2}type +=.*\n/gm)) {
        const text = file.text.slice(0, index) + file.text.slice(index).replace(/.*\n/, "");
        const changed = files.map((one) => one === file ? text : one.text);
        const found = (await problemsOf(...changed)).filter(({ code }) => !expected.includes(code));
        const header = lineAt(text, text.lastIndexOf("\nconnector ", index) + 1);
        const place = `${files.indexOf(file)}.hcl:${header}`;
        assert.deepEqual(found.map(linedCode), [`${place} missing-attribute`]);
      }
    }
  }
});
