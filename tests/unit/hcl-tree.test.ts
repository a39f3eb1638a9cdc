import assert from "node:assert/strict";
import { test } from "node:test";
import type { Block } from "../../src/hcl/tree.ts";
import { covered, outline, readTexts } from "../support/hcl.ts";
import { placed } from "../support/problems.ts";

const page =
  `# The published WebSocket page's own configuration. It must run exactly as it stands here.
connector "ws" {
  type = "websocket"
  port = 3001
  path = "/ws"

  ping_interval = "30s"
  pong_timeout  = "10s"
}

# Receive messages from clients
flow "handle_chat" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "db"
    target    = "messages"
  }
}

# Broadcast to all connected clients
flow "live_orders" {
  from {
    connector = "rabbit"
    operation = "order.updated"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

# Send to clients in a specific room
flow "room_notification" {
  from {
    connector = "rabbit"
    operation = "room.event"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
  }
}
`;

const services = `connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = env("PAGE_DB", "./data/page.db")
}

connector "rabbit" {
  type = "mq"

  exchange {
    name = "page"
    type = "topic"
  }
}
`;

const pageOutline = [
  ["connector", "ws", [
    ["type", "websocket"],
    ["port", 3001],
    ["path", "/ws"],
    ["ping_interval", "30s"],
    ["pong_timeout", "10s"],
  ]],
  ["flow", "handle_chat", [
    ["from", [["connector", "ws"], ["operation", "message"]]],
    ["to", [["connector", "db"], ["target", "messages"]]],
  ]],
  ["flow", "live_orders", [["from", [["connector", "rabbit"], ["operation", "order.updated"]]], [
    "to",
    [["connector", "ws"], ["operation", "broadcast"]],
  ]]],
  ["flow", "room_notification", [
    ["from", [["connector", "rabbit"], ["operation", "room.event"]]],
    ["to", [["connector", "ws"], ["operation", "send_to_room"], ["target", "input.room"]]],
  ]],
];

test("the published page becomes a tree in the order written", async () => {
  const { body, problems } = await readTexts([page]);
  assert.deepEqual(problems, []);
  assert.deepEqual(outline(body), pageOutline);
});

test("several files are merged in the order given", async () => {
  const { body, problems } = await readTexts([services, page]);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    body.blocks.map(({ type, labels }) => [type, ...labels.map(({ text }) => text)]),
    [
      ["connector", "db"],
      ["connector", "rabbit"],
      ["connector", "ws"],
      ["flow", "handle_chat"],
      ["flow", "live_orders"],
      ["flow", "room_notification"],
    ],
  );
  assert.equal(body.blocks[2].headerSpan.file.path, "b.hcl");
});

test("line breaks of Windows change nothing but themselves", async () => {
  const { body, problems } = await readTexts([page.replaceAll("\n", "\r\n")]);
  assert.deepEqual(problems, []);
  assert.deepEqual(outline(body), pageOutline);
});

test("a byte order mark is dropped", async () => {
  const { body, problems } = await readTexts(["\uFEFFa = b\n"]);
  assert.equal(body.attributes[0].nameSpan.start, 0);
  assert.deepEqual(problems.map(placed), [
    "a.hcl:1:5+1 unknown-variable",
  ]);
});

test("no file at all and an empty file are empty trees", async () => {
  for (const texts of [[], [""], ["\n"], ["# nothing"], ["/* nothing */ // more"]]) {
    const { body, problems } = await readTexts(texts);
    assert.deepEqual([outline(body), problems], [[], []]);
  }
});

const structures: ReadonlyArray<readonly [name: string, text: string, outline: unknown[]]> = [
  ["labels in quotes and bare", 'a "x" y "z w" { }', [["a", "x", "y", "z w", []]]],
  ["an escaped label", 'a "x\\"{y" {}', [["a", 'x"{y', []]]],
  ["labels named as in prototypes", 'a "__proto__" {}\nb "constructor" {}', [
    ["a", "__proto__", []],
    ["b", "constructor", []],
  ]],
  ["blocks of one line", "a { x = 1 }\na {}\nb { x = {} }", [
    ["a", [["x", 1]]],
    ["a", []],
    ["b", [["x", {}]]],
  ]],
  ["attributes between blocks", "a {\n z = 1\n c { }\n b = 2\n a { }\n}", [
    ["a", [["z", 1], ["c", []], ["b", 2], ["a", []]]],
  ]],
  ["one name as attribute and as block", "a {\n filter = 1\n filter { x = 2 }\n}", [
    ["a", [["filter", 1], ["filter", [["x", 2]]]]],
  ]],
  ["blocks of one type with and without label", 'room "a" { }\nroom { x = 1 }\nroom "a" "b" {}', [
    ["room", "a", []],
    ["room", [["x", 1]]],
    ["room", "a", "b", []],
  ]],
  ["a name that is no property of its own", "__proto__ = 1\na { constructor = 2 }", [
    ["__proto__", 1],
    ["a", [["constructor", 2]]],
  ]],
  [
    "comments everywhere",
    '# {\n/* } */ a /* " */ "l" /* { */ { // }\n x /* = */ = /* 0 */ 1 /* 2\n */ # <<E\n // "\n}/* " */ // {',
    [["a", "l", [["x", 1]]]],
  ],
  ["comment marks in strings", 'a = "# // /*"\nb = "*/"', [["a", "# // /*"], ["b", "*/"]]],
  ["braces and quotes in strings", 'a { x = "}\\"{" }\nb = 1', [
    ["a", [["x", '}"{']]],
    ["b", 1],
  ]],
  ["nested templates", 'a { x = "${"}${"y"}"}" }\nb = 1', [["a", [["x", "}y"]]], ["b", 1]]],
  ["escaped templates", 'a = "$${"\nb = "%%{x"\nc = "$$${"', [
    ["a", "${"],
    ["b", "%{x"],
    ["c", "$${"],
  ]],
  ["lists over several lines", "a = [ # one\n 1, // ]\n 2, /* ] */\n]\nb = 3", [
    ["a", [1, 2]],
    ["b", 3],
  ]],
  ["a heredoc of braces and quotes", 'a {\n x = <<EOT\n } " { $${ # \\n\n  EOTA\nEOT\n y = 1\n}', [
    ["a", [["x", ' } " { ${ # \\n\n  EOTA\n'], ["y", 1]]],
  ]],
  ["a heredoc that holds its marker in a template", 'a = <<E\n${"x"}\n E\nb = 1', [
    ["a", "x\n"],
    ["b", 1],
  ]],
  ["a heredoc with line breaks of Windows", "a = <<E\r\nx\r\nE\r\nb = 1\r\n", [
    ["a", "x\r\n"],
    ["b", 1],
  ]],
  ["names beyond ASCII", 'ä-b = 1\nβ "γ" {}', [["ä-b", 1], ["β", "γ", []]]],
  ["a smaller-than before a name", "a = 1 <2\nb = 1", [["a", true], ["b", 1]]],
];

for (const [name, text, expected] of structures) {
  test(`structure: ${name}`, async () => {
    const { body, problems } = await readTexts([text]);
    assert.deepEqual(problems.map(placed), []);
    assert.deepEqual(outline(body), expected);
  });
}

test("spans cover what they name", async () => {
  const text =
    '\t/* ä😀 */ room  "a:*" /* x */ b { # y\n\tjoin =  "a\\tb"  # z\n\tl = [1,\n2]\n}\n';
  const { body } = await readTexts([text]);
  const [room] = body.blocks;
  assert.equal(covered(room.typeSpan), "room");
  assert.deepEqual(room.labels.map(({ span }) => covered(span)), ['"a:*"', "b"]);
  assert.equal(covered(room.headerSpan), 'room  "a:*" /* x */ b');
  assert.deepEqual(room.body.attributes.map(({ nameSpan }) => covered(nameSpan)), ["join", "l"]);
  assert.deepEqual(room.body.attributes.map(({ valueSpan }) => covered(valueSpan)), [
    '"a\\tb"',
    "[1,\n2]",
  ]);
  assert.equal(covered(body.span), text);
  const header = (block: Block): string => covered(block.headerSpan);
  assert.equal(header((await readTexts(["a /* x */ {}"])).body.blocks[0]), "a");
});

test("only one plain quoted string is verbatim", async () => {
  const cases: ReadonlyArray<readonly [written: string, verbatim: boolean]> = [
    ['"client.user_id"', true],
    ['"😀 äö"', true],
    ['""', true],
    ['"$5 and 5%"', true],
    ['"a\\nb"', false],
    ['"a${1}"', false],
    ['"$${a}"', false],
    ['"a" == "b"', false],
    ['("a")', false],
    ["1", false],
    ["<<E\na\nE", false],
  ];
  for (const [written, verbatim] of cases) {
    const [attribute] = (await readTexts([`x = ${written}\n`])).body.attributes;
    assert.equal(attribute.verbatim, verbatim, written);
    if (!verbatim) continue;
    const { file, start } = attribute.valueSpan;
    const value = String(attribute.value);
    assert.equal(file.text.slice(start + 1, start + 1 + value.length), value);
  }
});

test("a broken file is left out and its headers are recovered", async () => {
  const broken =
    'connector "ws {\n}\n  room "a" {\nflow "x"\n{\nconstants {\n# flow "no" {\nx = 1\n';
  const { body, broken: files, recovered, problems } = await readTexts([broken, services]);
  assert.deepEqual(files.map(({ path }) => path), ["a.hcl"]);
  assert.deepEqual(recovered, [
    { type: "connector", labels: ["ws"] },
    { type: "room", labels: ["a"] },
    { type: "flow", labels: ["x"] },
    { type: "constants", labels: [] },
  ]);
  assert.deepEqual(body.blocks.map(({ labels }) => labels[0].text), ["db", "rabbit"]);
  assert.ok(problems.every(({ file }) => file === "a.hcl") && problems.length > 0);
});
