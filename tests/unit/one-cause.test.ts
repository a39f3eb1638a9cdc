import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { readConfigFiles } from "../../src/server/files.ts";

/** A mistake: what of which line becomes what, and how many problems it is. One by default. */
type Mistake = readonly [line: string, replacement: string, problem: RegExp];

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
  room "orders:*" {
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
    use  = "transform.stamped"
    name = "step.author.name"
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
  ['  type = "websocket"\n', "", /connector "ws" needs the attribute "type"/],
  ['  type = "websocket"', '  type = "websokcet"', /there is no connector type "websokcet"/],
  ['  type = "websocket"', "  type = 5", /type must be text in quotes/],
  ['  type = "websocket"', '  type = env("UNSET")', /UNSET is not set/],
  ['  type = "websocket"', '  tpye = "websocket"', /needs the attribute "type"/],
  ['  type     = "database"\n', "", /connector "db" needs the attribute "type"/],
  ['  driver   = "sqlite"', '  driver   = "sqlight"', /driver/],
  ['  driver = "memory"\n', "", /needs the attribute "driver"/],
  ['connector "ws" {', "connector {", /a connector needs a name/],
  ['connector "db" {', "connector {", /a connector needs a name/],
  ['connector "ws" {', 'conector "ws" {', /there is no block "conector"/],
  ["  port = 3001", "  prot = 3001", /has no attribute "prot"/],
  ["  port = 3001", "  port = 3001\n  compress = true", /has no attribute "compress"/],
  // What hangs on a room, a step, a type, a transform or a constant.
  ['  room "orders:*" {', "  room {", /a room needs a name/],
  ['    step "order" {', "    step {", /a step needs a name/],
  ['    step "order" {', '    stp "order" {', /has no block "stp"/],
  ['    step "friend" {', '    stp "friend" {', /has no block "stp"/],
  ['  step "author" {', "  step {", /a step needs a name/],
  ['  step "author" {', '  stpe "author" {', /has no block "stpe"/],
  ['type "person" {', "type {", /a type needs a name/],
  ['type "person" {', 'tpye "person" {', /there is no block "tpye"/],
  ['type "message" {', 'typ "message" {', /there is no block "typ"/],
  ["  text   = string({ max_length = 9 })", "  text   = strin", /there is no type "strin"/],
  ["  name = string\n", "", /type "person" has no fields/],
  ['transform "stamped" {', "transform {", /a transform needs a name/],
  ['transform "stamped" {', 'transfrom "stamped" {', /there is no block "transfrom"/],
  ['  at = "now()"', '  at = "now("', /transform "stamped"/],
  ["constants {", "constnats {", /there is no block "constnats"/],
  ["  floor = 3", '  floor = env("UNSET")', /UNSET is not set/],
  // What hangs on a flow's source, and on the parts of its blocks.
  [
    '    connector = "ws"\n    operation = "say"',
    '    operation = "say"',
    /from needs the attribute/,
  ],
  ['    operation = "say"', '    operation = env("UNSET")', /UNSET is not set/],
  ["  from {", "  form {", /has no block "form"/],
  ['    connector      = "ws"', '    connector      = "sw"', /there is no connector "sw"/],
  ['    connector      = "ws"\n', "", /to needs the attribute "connector"/],
  ['    operation      = "send_to_room"', '    operation      = env("UNSET")', /UNSET is not set/],
  ['    target         = "input.room"', '    target         = env("UNSET")', /UNSET is not set/],
  ['    target         = "input.room"', '    target         = "input.("', /target: /],
  [
    '    target         = "input.room"',
    '    tragte         = "input.room"',
    /no attribute "tragte"/,
  ],
  ['    query     = "SELECT :id AS name"', '    query     = env("UNSET")', /UNSET/],
  // What hangs on the parts of a test.
  ['  client "ada" {', "  client {", /a client needs a name/],
  ['  client "ada" {', '  clinet "ada" {', /has no block "clinet"/],
];

/** Twice the same, of each kind of block. */
const TWICE = ["connector", "type", "transform", "flow", "test"];

async function problemsOf(...texts: readonly string[]): Promise<readonly string[]> {
  const files = texts.map((text, index) => ({ path: `${index}.hcl`, text, folder: "." }));
  try {
    const { warnings } = await loadConfig(files, { embedded: false });
    return warnings.map(({ message }) => message);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ file, line, message }) => `${file}:${line} ${message}`);
  }
}

test("the configuration without a mistake has no problem", async () => {
  assert.deepEqual(await problemsOf(CONFIG), []);
});

for (const [line, replacement, problem] of MISTAKES) {
  test(`one problem: ${JSON.stringify(line)} becomes ${JSON.stringify(replacement)}`, async () => {
    assert.ok(CONFIG.includes(line), "the configuration has no such line");
    const found = await problemsOf(CONFIG.replace(line, () => replacement));
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0], problem);
  });
}

for (const kind of TWICE) {
  test(`one problem: a ${kind} stands twice`, async () => {
    const [first] = new RegExp(`^${kind} "[^]*?^}\n`, "m").exec(CONFIG) ?? [];
    const found = await problemsOf(CONFIG, first ?? "");
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0], new RegExp(`there is a second ${kind}`));
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
      const elsewhere = found.filter((problem) => !problem.startsWith("0.hcl"));
      assert.deepEqual(elsewhere, [], `${text}\n${found.join("\n")}`);
      assert.notEqual(found.length, 0);
    }
  }
});

test("a connector without its type is one problem of every example", async () => {
  for (const name of ["auth", "chat", "dashboard", "iot", "notifications", "rabbitmq"]) {
    const files = await readConfigFiles(`examples/${name}`);
    for (const file of files) {
      for (const { index } of file.text.matchAll(/^ {2}type +=.*\n/gm)) {
        const text = file.text.slice(0, index) + file.text.slice(index).replace(/.*\n/, "");
        const changed = files.map((one) => one === file ? text : one.text);
        const found = (await problemsOf(...changed))
          .filter((problem) => !/environment variable/.test(problem));
        assert.equal(found.length, 1, found.join("\n"));
        assert.match(found[0], /needs the attribute "type"/);
      }
    }
  }
});
