import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { loadConfig, type LoadOptions } from "../../src/runtime/load.ts";
import { attribute } from "../../src/contract/fields.ts";
import { flag } from "../../src/contract/value-schema.ts";
import { placed } from "../support/problems.ts";

/** People who connect: with `auth` they are verified. */
const door = defineConnector({
  fields: { auth: attribute(flag(), { about: "", default: false }) },
  source: { kind: "clients", verifies: ({ auth }) => auth, metadata: ["event", "data"] },
  destination: { fields: {} },
  create: () => ({}),
});

/** A broker whose keys are matched as they are; `*` in an operation is any. */
const bus = defineConnector({
  fields: { inside: attribute(flag(), { about: "", default: false }) },
  source: {
    kind: "messages",
    metadata: ["body"],
    receives: (operation, target) =>
      operation === undefined || operation === "*" || operation === target,
    internal: ({ inside }) => inside,
  },
  destination: { fields: {} },
  create: () => ({}),
});

/** Counters: only an increment starts flows, and not a look at one. */
const tally = defineConnector({
  fields: { inside: attribute(flag(), { about: "", default: false }) },
  source: {
    receives: (_operation, _target, _options, written) => written === "increment",
    internal: ({ inside }) => inside,
  },
  destination: { fields: {}, operations: ["increment", "read"] },
  create: () => ({}),
});

/** A source that says nothing of what it is. */
const silent = defineConnector({
  fields: {},
  source: {},
  destination: { fields: {} },
  create: () => ({}),
});

const connectors: Readonly<Record<string, ConnectorType>> = { door, bus, silent, tally };
const DOOR = 'connector "d" { type = "door" }\n';
const BUS = 'connector "b" { type = "bus" }\n';
const INSIDE = 'connector "b" {\ntype = "bus"\ninside = true\n}\n';
const SILENT = 'connector "s" { type = "silent" }\n';

/** A flow; `from` and the blocks in its body may be written in one line with `;` for a new one. */
function flow(name: string, from: string, body = ""): string {
  return `flow "${name}" {\nfrom {\n${lines(from)}\n}\n${lines(body)}\n}\n`;
}

/** Uses what the transform before it makes. */
const ANSWER = 'response {;all = "output";}';

function lines(text: string): string {
  return text.replaceAll(";", "\n");
}

/** A destination on the bus. */
function publish(target: string, more = ""): string {
  return `to {;connector = "b";target = "${target}";${more};}`;
}

/** The warnings, each without its file; fails where there are errors. */
async function warningsOf(text: string, options: LoadOptions = {}): Promise<string[]> {
  const { warnings } = await loadConfig(text, { connectors, ...options });
  for (const { severity } of warnings) assert.equal(severity, "warning");
  return warnings.map(placed).map((line) => line.replace("config.hcl:", ""));
}

/** The chain of each warning of a loop. */
async function loopsOf(...flows: readonly string[]): Promise<string[]> {
  const { warnings } = await loadConfig(BUS + flows.join(""), { connectors });
  return warnings.map((warning) => {
    assert.match(placed(warning), / flow-loop$/);
    return warning.message.slice(warning.message.lastIndexOf(": ") + 2);
  });
}

test("claims: send_to_user without auth, at each place", async () => {
  const send = '{;connector = "d";operation = "send_to_user";target = "input.to";}';
  const text = (auth: string) =>
    `connector "d" {\ntype = "door"\nauth = ${auth}\n}\n` + SILENT +
    flow(
      "tell",
      'connector = "s"',
      `to ${send};to ${send};step "x" ${send};error_handling {;fallback ${send};}`,
    );
  assert.deepEqual(await warningsOf(text("false")), [
    "12:13+14 unverified-user",
    "17:13+14 unverified-user",
    "22:13+14 unverified-user",
    "28:13+14 unverified-user",
  ]);
  assert.deepEqual(await warningsOf(text("true")), []);
});

test("claims: client.user_id in any expression, and in nothing else", async () => {
  const rows: ReadonlyArray<readonly [body: string, places: readonly string[]]> = [
    ['transform {;a = "client.user_id";}', ["7:6+14"]],
    ['transform {;a = "client . user_id";}', ["7:6+16"]],
    [`transform {;a = "client['user_id']";}`, ["7:5+19"]],
    ['transform {;a = "[client.id, client.user_id, client.user_id]";}', ["7:18+14"]],
    ['transform {;a = "client.user_id";b = "client.user_id";}', ["7:6+14", "8:6+14"]],
    ['accept {;when = "client.user_id != null";}', ["7:9+14"]],
    ['response {;x = "input.data + client.user_id";}', ["7:19+14"]],
    ['dedupe {;key = "client.user_id.trim()";ttl = "1m";}', ["7:8+14"]],
    ['transform {;a = "client.id";b = "client.params.user_id";c = "input.user_id";}', []],
    ["transform {;a = \"'client.user_id'\";}", []],
    ['transform {;a = "[input].map(client, client.user_id)";}', []],
  ];
  for (const [body, places] of rows) {
    const used = body.startsWith("transform") ? `${body};${ANSWER}` : body;
    const found = await warningsOf(DOOR + flow("f", 'connector = "d"', used));
    assert.deepEqual(found, places.map((place) => `${place} unverified-user`), body);
  }
  const verified = 'connector "d" {\ntype = "door"\nauth = true\n}\n';
  const reading = flow("f", 'connector = "d"', `${rows[0][0]};${ANSWER}`);
  assert.deepEqual(await warningsOf(verified + reading), []);
});

test("claims: a named transform is told once where it is used", async () => {
  const named = 'transform "t" {\na = "client.user_id"\nb = "client.user_id"\n}\n';
  const using = flow("f", 'connector = "d"', `transform {;use = "transform.t";};${ANSWER}`);
  const found = await warningsOf(DOOR + named + using);
  assert.deepEqual(found.map((line) => line.split(" ")[0]), ["11:7+13"]);
});

test("claims: in a destination's filter, client is the recipient", async () => {
  const text = (auth: string) =>
    `connector "ws" {\ntype = "websocket"\nport = 1\n}\n` +
    `connector "d" {\ntype = "door"\nauth = ${auth}\n}\n` +
    flow(
      "f",
      'connector = "d"',
      'to {;connector = "ws";operation = "broadcast";filter = "client.user_id != input.by";}',
    );
  for (const auth of ["true", "false"]) {
    const { warnings } = await loadConfig(text(auth), { connectors });
    assert.equal(warnings.length, 1, auth);
    assert.match(warnings[0].message, /connector "ws"/, auth);
  }
});

test("loops: a flow that starts itself, and chains of flows", async () => {
  const from = (key: string) => `connector = "b";operation = "${key}"`;
  assert.deepEqual(
    await warningsOf(BUS + flow("a", from("x"), publish("x"))),
    [
      "9:10+3 flow-loop",
    ],
  );
  assert.deepEqual(await loopsOf(flow("a", from("*"), publish("x"))), ["a → a"]);
  assert.deepEqual(await loopsOf(flow("a", 'connector = "b"', publish("x"))), ["a → a"]);
  assert.deepEqual(
    await loopsOf(
      flow("a", from("x"), publish("y")),
      flow("b", from("y"), publish("z")),
      flow("c", from("z"), publish("x")),
      flow("d", from("y"), publish("elsewhere")),
    ),
    ["a → b → c → a"],
  );
  // A tail that leads into a circle is not part of it.
  assert.deepEqual(
    await loopsOf(
      flow("start", from("s"), publish("x")),
      flow("a", from("x"), publish("y")),
      flow("b", from("y"), publish("x")),
    ),
    ["a → b → a"],
  );
  // Two circles, one inside the other.
  assert.deepEqual(
    await loopsOf(
      flow("a", from("x"), publish("x") + ";" + publish("y")),
      flow("b", from("y"), publish("x")),
    ),
    ["a → a", "a → b → a"],
  );
  // Two places in one flow that each start it again.
  assert.deepEqual(
    await loopsOf(flow("a", from("*"), publish("x") + ";" + publish("y"))),
    ["a → a", "a → a"],
  );
});

test("loops: constant expressions, steps and fallbacks publish, too", async () => {
  const from = 'connector = "b";operation = "x"';
  const rows: readonly string[] = [
    publish("'x'"),
    publish("'x' + lower('')"),
    publish("constants.key"),
    'step "s" {;connector = "b";target = "x";}',
    'error_handling {;fallback {;connector = "b";target = "x";};}',
  ];
  for (const body of rows) {
    const constants = 'constants {\nkey = "x"\n}\n';
    assert.deepEqual(await loopsOf(constants, flow("a", from, body)), ["a → a"], body);
  }
});

test("loops: a reject ends only what is published below it", async () => {
  const from = 'connector = "b";operation = "x"';
  const reject = 'reject {;when = "input.n > 9";code = "enough";}';
  const failed = 'error_handling {;fallback {;connector = "b";target = "x";};}';
  assert.deepEqual(await loopsOf(flow("a", from, `${publish("x")};${reject}`)), ["a → a"]);
  for (const below of [publish("x"), failed]) {
    const body = `${publish("y")};${reject};${below}`;
    assert.deepEqual(await loopsOf(flow("a", from, body)), [], below);
  }
});

test("loops: what a condition can end, or the event decides, is none", async () => {
  const from = 'connector = "b";operation = "x"';
  const rows: ReadonlyArray<readonly [from: string, body: string]> = [
    [`${from};filter = "input.n > 0"`, publish("x")],
    [`${from};filter {;condition = "input.n > 0";}`, publish("x")],
    [from, `accept {;when = "input.n > 0";};${publish("x")}`],
    [from, `reject {;when = "input.n > 9";code = "enough";};${publish("x")}`],
    [
      from,
      `to {;connector = "s";};reject {;when = "input.n > 9";code = "enough";};${publish("x")}`,
    ],
    [from, `dedupe {;key = "input.id";ttl = "1m";};${publish("x")}`],
    [from, publish("x", 'when = "input.n > 0"')],
    [from, publish("x", 'each = "input.parts"')],
    [from, publish("input.reply_to")],
    [from, publish("'x' + input.n")],
    [from, publish("y")],
    // It fails for every event, or is no target.
    [from, publish("'x'.substring(9, 1)")],
    [from, 'to {;connector = "s";target = "x";}'],
  ];
  for (const [source, body] of rows) {
    assert.deepEqual(await loopsOf(SILENT, flow("a", source, body)), [], body);
  }
  // One condition on the way is enough.
  assert.deepEqual(
    await loopsOf(
      flow("a", from, publish("y")),
      flow("b", 'connector = "b";operation = "y";filter = "input.n > 0"', publish("x")),
    ),
    [],
  );
  // A schedule consumes nothing.
  assert.deepEqual(
    await loopsOf(`flow "a" {\nwhen = "@every 5s"\n${lines(publish("x"))}\n}\n`),
    [],
  );
});

test("loops and unpublished: the operation of a block decides whether it starts flows", async () => {
  const look = 'step "x" {;connector = "t";target = "n";operation = "read";}';
  const add = 'step "y" {;connector = "t";target = "n";operation = "increment";}';
  const neither = 'step "z" {;connector = "t";target = "n";}';
  const tallies = 'connector "t" {\ntype = "tally"\ninside = true\n}\n';
  const from = 'connector = "t"';
  const rows: ReadonlyArray<readonly [body: string, codes: RegExp]> = [
    [look, /^\S+ unpublished-operation$/],
    [neither, /^\S+ unpublished-operation$/],
    [add, /^\S+ flow-loop$/],
    [`${look};${add}`, /^\S+ flow-loop$/], // One target, and two operations.
  ];
  for (const [body, codes] of rows) {
    const found = await warningsOf(tallies + flow("a", from, body), { embedded: false });
    assert.match(found.join("\n"), codes, body);
  }
});

test("unpublished: inside of a process that nobody embeds", async () => {
  const flows = flow("a", 'connector = "b";operation = "order.updated"') +
    flow("p", 'connector = "d"', publish("order.update"));
  const alone = { embedded: false };
  assert.deepEqual(await warningsOf(INSIDE + DOOR + flows, alone), [
    "9:13+15 unpublished-operation",
  ]);
  assert.deepEqual(await warningsOf(INSIDE + DOOR + flows), []);
  assert.deepEqual(await warningsOf(INSIDE + DOOR + flows, { embedded: true }), []);
  assert.deepEqual(await warningsOf(BUS + DOOR + flows, alone), []);
});

test("unpublished: what may be published is enough", async () => {
  const alone = { embedded: false };
  const listen = flow("a", 'connector = "b";operation = "x"');
  const rows: ReadonlyArray<readonly [flows: string, count: number]> = [
    [listen, 1],
    [flow("a", 'connector = "b"'), 1],
    [listen + flow("p", 'connector = "d"', publish("y")), 1],
    [listen + flow("p", 'connector = "d"', publish("'x'")), 0],
    [listen + flow("p", 'connector = "d"', publish("input.key")), 0],
    [flow("a", 'connector = "b"') + flow("p", 'connector = "d"', publish("y")), 0],
    [listen + flow("p", 'connector = "d"', 'step "s" {;connector = "b";target = "x";}'), 0],
  ];
  for (const [flows, count] of rows) {
    assert.equal((await warningsOf(INSIDE + DOOR + flows, alone)).length, count, flows);
  }
  const [line] = await warningsOf(INSIDE + listen, alone);
  assert.match(line, / unpublished-operation$/);
});

test("targets: a field that no type has", async () => {
  const type = 'type "message" {\nroom = string\ntext = string\n}\n';
  const validate = 'validate {;input = "message";}';
  const to = (target: string) => `to {;connector = "d";target = "${target}";}`;
  const send = (target: string) => flow("f", 'connector = "d"', `${validate};${to(target)}`);
  assert.deepEqual(await warningsOf(DOOR + type + send("input.rom")), [
    "15:11+9 unknown-target-field",
  ]);
  assert.deepEqual(await warningsOf(DOOR + type + send("output.rom + output.rom.x")), [
    "15:11+10 unknown-target-field",
  ]);
  const good = ["input.room", "input.event", "input.data.rom", "output.text", "'rom'", "input[0]"];
  for (const target of good) {
    assert.deepEqual(await warningsOf(DOOR + type + send(target)), [], target);
  }
  const open = type.replace("room", "additional = true\nroom");
  assert.deepEqual(await warningsOf(DOOR + open + send("input.rom")), []);
  // Nobody knows what a source adds that does not tell.
  const untold = flow("f", 'connector = "s"', `${validate};${to("input.rom")}`);
  assert.deepEqual(await warningsOf(SILENT + DOOR + type + untold), []);
  const untyped = flow("f", 'connector = "d"', to("input.rom"));
  assert.deepEqual(await warningsOf(DOOR + untyped), []);
});

test("targets: a field that no transform makes", async () => {
  const types = 'type "message" {\nroom = string\n}\n' +
    'type "stored" {\nroom = string\nlane = string({ default = "a" })\n}\n';
  const make = 'transform {;room = "input.room";}';
  const to = (target: string, more = "") => `to {;connector = "d";target = "${target}";${more};}`;
  const fallback = (target: string, more = "") =>
    `error_handling {;fallback {;connector = "d";target = "${target}";${more};};}`;
  const rows: ReadonlyArray<readonly [body: string, read: string | undefined]> = [
    [`${make};${to("output.rom")}`, "output.rom"],
    [`${make};${to("output.room")}`, undefined],
    [`${make};${to("output")}`, undefined],
    [`${make};validate {;output = "stored";};${to("output.lane")}`, undefined],
    [`${make};validate {;output = "stored";};${to("output.line")}`, "output.line"],
    [
      `validate {;output = "stored";};${to("output.line")}`,
      "output.line",
    ],
    [to("output.rom"), undefined],
    // A destination's own transform makes what its target sees.
    [`${make};${to("output.lane", 'transform {;lane = "1";}')}`, undefined],
    [`${make};${to("output.room", 'transform {;lane = "1";}')}`, "output.room"],
    // What `extend` adds to is known where the payload is.
    [`${make};${to("output.rom", 'transform {;extend = true;lane = "1";}')}`, "output.rom"],
    [`${make};${to("output.room", 'transform {;extend = true;lane = "1";}')}`, undefined],
    [to("output.rom", 'transform {;extend = true;lane = "1";}'), undefined],
    ['transform {;extend = true;lane = "1";};' + to("output.rom"), undefined],
    [
      'validate {;input = "message";};transform {;extend = true;lane = "1";};' +
      to("output.rom"),
      "output.rom",
    ],
    [`${make};${to("payload.rom", 'transform {;lane = "1";}')}`, "payload.rom"],
    [`${make};${to("payload.room", 'transform {;lane = "1";}')}`, undefined],
    // Nothing is known of an element.
    [`${make};${to("output.rom", 'each = "input.list"')}`, undefined],
    [`${make};${to("payload.rom", 'each = "input.list"')}`, "payload.rom"],
    [`${make};${to("output.rom", 'each = "input.list";transform {;a = "1";}')}`, "output.rom"],
    // A fallback may get what failed before the transform.
    [`${make};${fallback("output.rom")}`, undefined],
    [`${make};${fallback("output.rom", 'transform {;a = "1";}')}`, "output.rom"],
    [
      `${make};${fallback("output.error.code", 'include_error = true;transform {;a = "1";}')}`,
      undefined,
    ],
    [
      `validate {;input = "message";};${fallback("input.rom")}`,
      "input.rom",
    ],
    [
      `validate {;input = "message";};step "s" {;connector = "d";target = "input.rom";}`,
      "input.rom",
    ],
  ];
  for (const [body, read] of rows) {
    const text = DOOR + types + flow("f", 'connector = "d"', body);
    const reads = (await loadConfig(text, { connectors })).warnings.map((warning) => {
      assert.match(placed(warning), / unknown-target-field$/);
      const { source, column, length } = warning;
      return source.slice(column - 1, column - 1 + length);
    });
    assert.deepEqual(reads, read === undefined ? [] : [read], body);
  }
});

test("targets: a schedule's input has its time", async () => {
  const type = 'type "tick" {\nn = number\n}\n';
  const text = (target: string) =>
    `flow "f" {\nwhen = "@every 5s"\n${
      lines(`validate {;input = "tick";};to {;connector = "d";target = "${target}";}`)
    }\n}\n`;
  assert.deepEqual(await warningsOf(DOOR + type + text("input.scheduled_at")), []);
  assert.equal((await warningsOf(DOOR + type + text("input.scheduled"))).length, 1);
});

test("a flow or connector with errors gives no warnings", async () => {
  const wrong = [
    flow("f", 'connector = "d";opration = "x"', 'transform {;a = "client.user_id";}'),
    flow("f", 'connector = "d"', 'transform {;a = "client.user_id";b = "nothing";}'),
    flow("f", 'connector = "d"', 'timeout = env("UNSET");transform {;a = "client.user_id";}'),
  ];
  for (const text of wrong) {
    const problems = await problemsOf(DOOR + text);
    assert.deepEqual(problems.map(({ severity }) => severity), ["error"], text);
  }
  const connector = 'connector "d" {\ntype = "door"\nauth = "maybe"\n}\n';
  const reading = flow("g", 'connector = "d"', `transform {;a = "client.user_id";};${ANSWER}`);
  assert.deepEqual((await problemsOf(connector + reading)).map(({ severity }) => severity), [
    "error",
  ]);
});

test("warnings stand among the errors of other flows", async () => {
  const bad = flow("bad", 'connector = "nowhere"', publish("x"));
  const listening = flow("a", 'connector = "b";operation = "x"');
  const claiming = flow("c", 'connector = "d"', `transform {;a = "client.user_id";};${ANSWER}`);
  const problems = await problemsOf(INSIDE + DOOR + listening + bad + claiming);
  // What the broken flow would have published nobody knows, so nothing is said of flow "a".
  assert.deepEqual(problems.map(({ severity, line }) => [severity, line]), [
    ["error", 15],
    ["warning", 28],
  ]);
});

async function problemsOf(text: string) {
  const failure = await loadConfig(text, { connectors, embedded: false }).then(
    () => assert.fail("it has errors"),
    (error) => error,
  );
  assert.ok(failure instanceof ConfigError);
  return failure.problems;
}
