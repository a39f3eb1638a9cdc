/** A configuration for Mycel is told what Weir calls its words, or what to use instead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hintOf, MYCEL_WORDS } from "../../src/mycel/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { failuresOf, filesOf } from "../support/config.ts";
import { placed } from "../support/problems.ts";

const CONNECTORS = `
connector "api" {
  type = "rest"
  port = 3000
}
connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = ":memory:"
}
connector "pg" {
  type     = "database"
  driver   = "postgres"
  database = "shop"
}
connector "queue" {
  type   = "mq"
  driver = "memory"
}
connector "shop" {
  type     = "http"
  base_url = "http://shop.test"
}
connector "ws" {
  type = "websocket"
  port = 3001
}
`;

const FROM = block("from", 'connector = "api"\noperation = "POST /x"');

/** What a connector of each type needs beside the word. */
const NEEDED: Readonly<Record<string, string>> = {
  database: 'driver = "postgres"',
  http: 'base_url = "http://shop.test"',
  mq: 'driver = "rabbitmq"',
  mqtt: 'url = "mqtt://broker.test"',
  rest: "port = 3000",
};

function block(header: string, body: string): string {
  return `${header} {\n${body}\n}\n`;
}

function flow(body: string): string {
  return `${CONNECTORS}${block('flow "f"', body)}`;
}

/** A word as it is written: an attribute, an empty block or a value. */
function written(word: string): string {
  if (word.endsWith(" {}")) return block(word.slice(0, -3), "");
  if (word.includes(" = ")) return word.replace("[…]", "[1]").replace("…", "order");
  return `${word} = "x"`;
}

/** The connector of a destination that has a word as its operation. */
function destinationOf(word: string): string {
  if (word === "params") return "queue";
  if (/"[A-Z]+"/.test(word)) return word.includes("PUBLISH") ? "queue" : "shop";
  return word.includes("room:") ? "ws" : "db";
}

/** The connector of a source that has a word as its operation. */
function sourceOf(word: string): string {
  if (word.includes(":")) return "pg";
  return word.includes("*") ? "ws" : "queue";
}

/** A configuration with one word of Mycel, at its place. */
function configurationWith(place: string, word: string): string {
  const line = written(word);
  switch (place) {
    case "top level":
      return line;
    case "type":
      return block('type "t"', line);
    case "type, field":
      return block('type "t"', `a = string({ ${line} })`);
    case "connector types":
      return block('connector "x"', `type = "${word}"`);
    case "variables":
      return flow(`${FROM}${block("response", `a = "${word}.x"`)}`);
    case "operators":
      return flow(`${FROM}${block("response", `a = "input.x ${word}"`)}`);
    case "functions":
      return /field/.test(word)
        ? flow(`${FROM}${block("response", `a = "${word}(input)"`)}`)
        : block("constants", `a = ${word}("x")`);
    case "flow":
      return flow(word === "when {}" ? line : FROM + line);
    case "flow, from":
      return flow(block("from", `connector = "${sourceOf(word)}"\n${line}`));
    case "flow, from, filter":
      return flow(block("from", `connector = "queue"\n${block("filter", line)}`));
    case "flow, step":
      return flow(`${FROM}${block('step "s"', `connector = "db"\nquery = "SELECT 1"\n${line}`)}`);
    case "flow, to":
      return flow(`${FROM}${block("to", `connector = "${destinationOf(word)}"\n${line}`)}`);
  }
  const [outer, ...inner] = place.split(", ");
  const nested = inner.reduceRight((body, name) => block(name, body), line);
  if (outer === "flow") return flow(FROM + nested);
  if (outer === "transform") return block('transform "t"', nested);
  if (outer === "service") return block("service", nested);
  const [, type = "http"] = outer.split(" ");
  const needed = word.startsWith("driver") ? "" : NEEDED[type];
  return block('connector "x"', `type = "${type}"\n${needed}\n${nested}`);
}

for (const [place, words] of Object.entries(MYCEL_WORDS)) {
  test(`${place}: each word of Mycel gets its hint`, async () => {
    for (const [word, meaning] of Object.entries(words)) {
      const text = configurationWith(place, word);
      const hint = hintOf(meaning);
      const found = (await failuresOf(text)).filter((problem) => problem.hint === hint);
      assert.equal(found.length, 1, `${word} in\n${text}`);
      placed(found[0]);
    }
  });
}

test("a word of Mycel gets its hint at its own place alone", async () => {
  const text = flow(`${FROM}${block("response", 'a = "input.x"')}${block("dedupe", "format = 1")}`);
  const hints = (await failuresOf(text)).map(({ hint }) => hint);
  assert.deepEqual(hints, [undefined, undefined, "it has key, ttl, max_keys, store"]);
});

test("a value that begins like one of Mycel's is not taken for it", async () => {
  const to = block("to", 'connector = "db"\ntarget = "t"\noperation = "INSERT "');
  const [problem] = await failuresOf(flow(FROM + to));
  assert.equal(problem.code, "unknown-operation");
  assert.equal(problem.hint, 'did you mean "INSERT"?');
});

test("a word of Mycel is found behind other characters, and at the ends of a line", async () => {
  const line = "a = \"'\u{1F600} ä' + enriched.x\"";
  const texts = [
    flow(FROM + block("response", line)),
    "lock {\n}",
    flow(FROM + block("response", 'a = "input.x ??"')),
  ];
  const hints = [];
  for (const text of texts) hints.push((await failuresOf(text))[0].hint?.split(";")[0]);
  assert.deepEqual(hints, [
    "write step.NAME",
    hintOf(MYCEL_WORDS["top level"]["lock {}"]),
    "write default(input.name, '')",
  ]);
});

test("names and values of JavaScript are no words of Mycel", async () => {
  const text = block('connector "a"', "type = { toString = 1 }") +
    block('connector "b"', `type = "constructor"\n__proto__ = 1\n${block("valueOf", "")}`) +
    flow(`${FROM}${block("constructor", "")}${block("response", 'a = "__proto__.x"')}`);
  const hints = new Set((await failuresOf(text)).map(({ hint = "" }) => hint.replace(/:? .*/, "")));
  assert.deepEqual([...hints].sort(), ["", "it", "one"]);
});

test("what is missing because it has the name of Mycel is reported once", async () => {
  const rows: ReadonlyArray<readonly [text: string, expected: readonly string[]]> = [
    [block('connector "x"', 'type = "mqtt"\nbroker = "tcp://broker.test"'), ["broker"]],
    [block('connector "x"', 'type = "mqtt"\ntopic = "t"'), ['connector "x"', "topic"]],
    [
      block('connector "x"', `type = "rest"\nport = 1\n${block("auth", 'secret = "s"')}`),
      ["secret"],
    ],
    [
      block('connector "x"', `type = "rest"\nport = 1\n${block("auth", 'scheme = "s"')}`),
      ["auth", "scheme"],
    ],
  ];
  for (const [text, expected] of rows) {
    const problems = await failuresOf(text);
    const about = problems.map(({ source, column, length }) =>
      source.slice(column - 1, column - 1 + length)
    );
    assert.deepEqual(about, expected, text);
  }
});

test("a connector with profiles and without a type is told that it has one type", async () => {
  const profile = block('profile "a"', 'type = "http"');
  const [problem, ...more] = await failuresOf(block('connector "x"', profile));
  assert.deepEqual(more, []);
  assert.equal(problem.code, "missing-attribute");
  assert.equal(problem.hint, hintOf(MYCEL_WORDS.connector["profile {}"]));
  const [other] = await failuresOf(block('connector "x"', "port = 1"));
  assert.match(other.hint ?? "", /^one of database, /);
});

test("more problems than are reported have their hints, too", async () => {
  const flows = Array.from(
    { length: 1100 },
    (_, i) => block(`flow "f${i}"`, FROM + block("lock", "")),
  );
  const problems = await failuresOf(CONNECTORS + flows.join(""));
  assert.equal(problems.at(-1)?.code, "too-many-problems");
  assert.ok(problems.slice(0, -1).every(({ hint }) => hint?.startsWith("Weir has no locks")));
});

/** The warnings about one flow in a file, each with the text that it is about. */
async function warningsOf(body: string, file = "f.mycel", more = ""): Promise<string[]> {
  const { warnings } = await loadConfig(filesOf({ [file]: flow(body) + more }));
  return warnings.filter(({ code }) => code === "mycel-difference").map((warning) => {
    placed(warning);
    const { source, column, length } = warning;
    return source.slice(column - 1, column - 1 + length);
  });
}

const from = (operation: string) => block("from", `connector = "api"\noperation = "${operation}"`);
const INSERT = block("to", 'connector = "db"\ntarget = "t"');

test("mycel-difference: a route whose destination inserts, though Mycel takes its method", async () => {
  for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
    assert.deepEqual(await warningsOf(from(`${method} /x`) + INSERT), ["to"], method);
    assert.deepEqual(await warningsOf(from(`${method} /x`) + INSERT, "f.hcl"), [], method);
  }
  const good = [
    from("POST /x") + INSERT,
    block("from", 'connector = "queue"') + INSERT,
    `when = "@daily"\n${INSERT}`,
    from("GET /x") + block("to", 'connector = "db"\ntarget = "t"\noperation = "INSERT"'),
    from("GET /x") + block("to", 'connector = "db"\nquery = "SELECT 1"'),
    from("GET /x") + block("to", 'connector = "queue"\ntarget = "t"'),
  ];
  for (const body of good) assert.deepEqual(await warningsOf(body), [], body);
});

test("mycel-difference: the target of a database that is more than a name", async () => {
  const to = (target: string) =>
    block("to", `connector = "db"\ntarget = ${JSON.stringify(target)}`);
  const post = from("POST /x");
  assert.deepEqual(await warningsOf(post + to("INSERT t")), ['"INSERT t"']);
  assert.deepEqual(await warningsOf(post + to("t WHERE id = :id")), ['"t WHERE id = :id"']);
  assert.deepEqual(await warningsOf(post + to("t")), []);
  assert.deepEqual(await warningsOf(post + to("INSERT t"), "f.hcl"), []);
});

test("mycel-difference: an accept of messages without on_reject", async () => {
  const accept = (more: string) => block("accept", `when = "true"\n${more}`);
  const take = block("from", 'connector = "queue"');
  assert.deepEqual(await warningsOf(take + accept("")), ["accept"]);
  assert.deepEqual(await warningsOf(take + accept('on_reject = "reject"')), []);
  assert.deepEqual(await warningsOf(from("GET /x") + accept("")), []);
  assert.deepEqual(await warningsOf(take + accept(""), "f.hcl"), []);
});

test("mycel-difference: a field of the answer that is a status in Mycel", async () => {
  const answer = block("response", 'http_status_code = "201"\nid = "input.id"');
  assert.deepEqual(await warningsOf(from("GET /x") + answer), ["http_status_code"]);
  assert.deepEqual(await warningsOf(from("GET /x") + answer, "f.hcl"), []);
});

test("mycel-difference: the operation that is every message in Mycel", async () => {
  const take = (connector: string, operation: string) =>
    block("from", `connector = "${connector}"\noperation = "${operation}"`);
  const mqtt = block('connector "devices"', 'type = "mqtt"\nurl = "mqtt://broker.test"');
  const redis = block('connector "redis"', 'type = "mq"\ndriver = "redis"');
  const warned = (from: string, more = "") => warningsOf(from, "f.mycel", more);
  assert.deepEqual(await warned(take("queue", "*")), ['"*"']);
  assert.deepEqual(await warned(take("devices", "*"), mqtt), ['"*"']);
  assert.deepEqual(await warned(take("queue", "order.*")), []);
  assert.deepEqual(await warned(take("redis", "*"), redis), []);
  assert.deepEqual(await warningsOf(take("queue", "*"), "f.hcl"), []);
});
