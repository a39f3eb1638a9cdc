/** Warnings about fields, names and operations that are probably slips. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import type { Problem } from "../../src/base/problem.ts";
import { warningsOfStart } from "../../src/commands/start.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hasFolder } from "../../src/server/files.ts";
import { checkSentence } from "../support/problems.ts";

const WS = 'connector "ws" {\ntype = "websocket"\nport = 0\n}\n';
const TYPE = 'type "note" {\ntext = string\nauthor = string({ required = false })\n}\n';

/** A flow on frames of a type; its lines may be written in one with `;` for a new one. */
function flow(body: string, from = "", operation = "note"): string {
  const head = `flow "${operation}" {\nfrom {\nconnector = "ws"\noperation = "${operation}"\n`;
  return `${head}${lines(from)}\n}\n${lines(body)}\n}\n`;
}

function lines(text: string): string {
  return text.replaceAll(";", "\n").replaceAll("{", "{\n").replaceAll("}", "\n}\n");
}

/** The texts that the warnings of a code underline. */
async function warned(code: string, text: string, embedded = false): Promise<string[]> {
  const { warnings } = await loadConfig(text, { embedded });
  return underlined(warnings.filter((warning) => warning.code === code));
}

function underlined(problems: readonly Problem[]): string[] {
  return problems.map((problem) => {
    checkSentence(problem);
    const { source, column, length } = problem;
    return source.slice(column - 1, column - 1 + length);
  });
}

const CHECKED = 'validate { input = "note" }';
const SENT = 'to { connector = "ws"; operation = "broadcast" }';

test("a field that the type does not have is a warning, wherever it can only be null", async () => {
  const check = (body: string, from = "") => warned("always-null", TYPE + WS + flow(body, from));
  assert.deepEqual(await check(`${CHECKED};transform { a = "input.txt" };${SENT}`), ["input.txt"]);
  assert.deepEqual(await check(`${CHECKED};transform { a = "input.text" };${SENT}`), []);
  // What the source adds is there, too.
  assert.deepEqual(await check(`${CHECKED};transform { a = "input.user_id" };${SENT}`), []);
  assert.deepEqual(await check(`${CHECKED};response { a = "input.txt" }`), ["input.txt"]);
  const when = 'to { connector = "ws"; operation = "broadcast"; when = "input.a != payload.b" }';
  assert.deepEqual(await check(`${CHECKED};${when}`), ["input.a", "payload.b"]);
  const reject = 'reject { when = "input.a == 1"; code = "no" }';
  assert.deepEqual(await check(`${CHECKED};${reject};${SENT}`), ["input.a"]);
  // Before the type, and where an error may have come before it, there may be any field.
  assert.deepEqual(await check(`${CHECKED};${SENT}`, 'filter = "input.kind == null"'), []);
  const accept = 'accept { when = "input.kind == null" }';
  assert.deepEqual(await check(`${accept};${CHECKED};${SENT}`), []);
  const body = 'error_handling { error_response { body { a = "input.kind" } } }';
  assert.deepEqual(await check(`${CHECKED};${SENT};${body}`), []);
  // Without a type, nothing is known.
  assert.deepEqual(await check(`transform { a = "input.txt" };${SENT}`), []);
});

test("an open type and a transform that several flows use are left alone", async () => {
  const open = TYPE.replace("\n}\n", "\nadditional = true\n}\n");
  const used = flow(`${CHECKED};transform { a = "input.txt" };${SENT}`);
  assert.deepEqual(await warned("always-null", open + WS + used), []);
  const shared = 'transform "named" {\na = "coalesce(input.text, input.title)"\n}\n';
  const uses = flow(`${CHECKED};transform { use = "transform.named" };${SENT}`);
  assert.deepEqual(await warned("always-null", TYPE + shared + WS + uses), []);
});

test("a line of a transform sees the lines above it alone", async () => {
  const check = (transform: string) =>
    warned("always-null", WS + flow(`transform { ${transform} };${SENT}`));
  assert.deepEqual(await check('a = "1"; b = "output.a + output.c"; c = "1"'), ["output.c"]);
  assert.deepEqual(await check('a = "output.a"'), ["output.a"]);
  assert.deepEqual(await check('a = "1"; b = "output.a"'), []);
  assert.deepEqual(await check('extend = true; b = "output.text"'), []);
});

test("length is a field, unless a program looks for one of that name", async () => {
  const check = (line: string) =>
    warned("length-field", WS + flow(`transform { a = "${line}" };${SENT}`));
  assert.deepEqual(await check("input.text.length > 0"), ["input.text.length"]);
  assert.deepEqual(await check("input.length"), []);
  assert.deepEqual(await check("input.box['length']"), []);
  assert.deepEqual(await check("has(input.box.length) ? input.box.length : 0"), []);
  assert.deepEqual(await check("input.lengths.a"), []);
  assert.deepEqual(await check("size(input.text)"), []);
});

test("a target with a slip in its variable is a warning, and a word of its own is none", async () => {
  const check = (target: string) =>
    warned(
      "misspelled-variable",
      WS + flow(`to { connector = "ws"; operation = "send_to_room"; target = "${target}" }`),
    );
  for (const slip of ["inptu.room", "inpt.room", "imput.room", "inpuut.a", "nput.a", "paylod.a"]) {
    assert.deepEqual(await check(slip), [`"${slip}"`]);
  }
  assert.deepEqual(await check("cleint.params[0]"), ['"cleint.params[0]"']);
  const names = [
    "inputs.new",
    "input1.state",
    "clients.a",
    "inptu",
    "result.a",
    "stop.now",
    "items.a",
    "a.inptu.b",
  ];
  for (const name of [...names, "inbox.a", "input:new"]) assert.deepEqual(await check(name), []);
});

test("claims are null without auth, for clients as well", async () => {
  const reads = flow(`transform { a = "client.claims.role" };${SENT}`);
  assert.deepEqual(await warned("always-null", WS + reads), ["client.claims"]);
  const auth = `auth {\njwt {\nsecret = "${"0123456789abcdef".repeat(2)}"\n}\n}\n}\n`;
  assert.deepEqual(await warned("always-null", WS.replace("}\n", auth) + reads), []);
});

test("an operation that no test sends is a warning, where tests send to the connector", async () => {
  const flows = flow(SENT) + flow(SENT, "", "shout") + flow(SENT, "", "disconnect");
  const client = 'client "ann" {\nconnector = "ws"\n}\n';
  const given = (operation: string) => `given "ann" {\noperation = "${operation}"\n}\n`;
  const expect = 'expect "ann" {\nnothing = true\n}\n';
  const tests = (...operations: string[]) =>
    `test "t" {\n${client}${operations.map(given).join("")}${expect}}\n`;
  const check = (text: string, embedded = false) =>
    warned("untested-operation", WS + flows + text, embedded);
  assert.deepEqual(await check(""), []);
  assert.deepEqual(await check(tests()), ['"note"', '"shout"']);
  assert.deepEqual(await check(tests("note")), ['"shout"']);
  assert.deepEqual(await check(tests("note", "shout")), []);
  assert.deepEqual(await check(tests("note") + tests("shout").replace('"t"', '"u"')), []);
  assert.deepEqual(await check(tests("note"), true), []);
  // A start does not print it: tests are for `weir check`.
  const model = await loadConfig(WS + flows + tests("note"), { embedded: false });
  assert.equal(model.warnings.length, 1);
  assert.deepEqual(warningsOfStart(model), []);
  // Tests of another connector say nothing of this one.
  const other = WS.replace('"ws"', '"other"').replace("port = 0", "port = 1");
  const elsewhere = tests().replaceAll('connector = "ws"', 'connector = "other"');
  assert.deepEqual(await check(other + elsewhere), []);
});

/** The problems of a text whose folder is `folder`. */
async function problemsOf(text: string, folder: string): Promise<readonly Problem[]> {
  const files = [{ path: "a.hcl", text, folder }];
  return await loadConfig(files, { hasFolder }).then(({ warnings }) => warnings, (error) => {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  });
}

test("a folder that does not exist is an error, and a file is no folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-folders-"));
  try {
    await mkdir(join(folder, "page"));
    await writeFile(join(folder, "file"), "");
    const pages = (name: string) => WS.replace("}\n", `static = "${name}"\n}\n`);
    const tables = (name: string) =>
      `connector "db" {\ntype = "database"\ndriver = "sqlite"\ndatabase = ":memory:"\n` +
      `migrations = "${name}"\n}\n`;
    for (const make of [pages, tables]) {
      assert.deepEqual(await problemsOf(make("page"), folder), []);
      for (const name of ["pages", "file", "./page/inner"]) {
        const found = await problemsOf(make(name), folder);
        assert.deepEqual(found.map(({ code }) => code), ["missing-folder"]);
        assert.deepEqual(underlined(found), [`"${name}"`]);
      }
    }
    // Who cannot look for folders is told by the start.
    assert.deepEqual((await loadConfig(pages("nowhere"))).warnings, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a step of accept and one of the flow have different names", async () => {
  const step = (name: string) => `step "${name}" {\nconnector = "db"\nquery = "SELECT 1 AS a"\n}\n`;
  const db = 'connector "db" {\ntype = "database"\ndriver = "sqlite"\ndatabase = ":memory:"\n}\n';
  const check = async (early: string, late: string) => {
    const accept = `accept {\n${step(early)}when = "step.${early} != null"\n}\n`;
    const from = 'from {\nconnector = "ws"\noperation = "note"\n}\n';
    const found = await problemsOf(
      `${WS}${db}flow "f" {\n${from}${accept}${step(late)}response {\na = "step.${late}.a"\n}\n}\n`,
      ".",
    );
    underlined(found);
    return found.map(({ line, code }) => `${line} ${code}`);
  };
  assert.deepEqual(await check("a", "a"), ["22 duplicate-name"]);
  assert.deepEqual(await check("a", "b"), []);
});
