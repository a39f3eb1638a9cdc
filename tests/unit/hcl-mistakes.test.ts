/** Lines of other languages, brackets that nothing closes, and names that values do not have. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@cdktf/hcl2json";
import fc from "fast-check";
import { Measure } from "../../src/hcl/limits.ts";
import { unclosedBracket } from "../../src/hcl/mistakes/brackets.ts";
import { correctLine } from "../../src/hcl/mistakes/lines.ts";
import { readFiles } from "../../src/hcl/mod.ts";
import { syntaxProblems } from "../../src/hcl/syntax-problems.ts";
import { readTexts } from "../support/hcl.ts";
import { anyText } from "../support/text.ts";

const LINES: ReadonlyArray<readonly [written: string, correct: string | undefined]> = [
  ['type: "websocket",', 'type = "websocket"'],
  ["'port' => 3001;", "port = 3001"],
  ['"port" = 3001', "port = 3001"],
  ["port == 3001", "port = 3001"],
  ["  debug true", "debug = true"],
  ["path = ./data/chat.db", 'path = "./data/chat.db"'],
  ["timeout = 1h", 'timeout = "1h"'],
  ["port = ${PORT}", 'port = env("PORT")'],
  ["port = %PORT%", 'port = env("PORT")'],
  ['port = env("PORT") or 3001', 'port = env("PORT", 3001)'],
  ["author = string?", "author = string({ required = false })"],
  ["debug = not a and b", "debug = !a && b"],
  ["flow 'say': {", 'flow "say" {'],
  ['name = "it\'s", # a', undefined],
  ["; a comment", "# a comment"],
  ["port = 1 -- a comment", "port = 1 # a comment"],
  ['query: "SELECT 1 -- all"', 'query = "SELECT 1 -- all"'],
  ['query: "SELECT 1" -- all', 'query = "SELECT 1" # all'],
  [String.raw`a: "it is \" and 'b'"`, String.raw`a = "it is \" and 'b'"`],
  ["let port = 3001;", "constants { port = 3001 }, and constants.port where it is read"],
  ["port = 3001", undefined],
  ['connector "ws" {', undefined],
  ["}", undefined],
  ["---", undefined],
  ["", undefined],
];

for (const [written, correct] of LINES) {
  test(`the line ${JSON.stringify(written)}`, () => {
    const found = correctLine(written);
    assert.equal(found?.text, correct);
    if (found !== undefined) assert.notEqual(found.reason, "");
  });
}

/** The bracket, its line, and the line before which it should be closed. */
function unclosed(text: string): string | undefined {
  const found = unclosedBracket({ path: "a.hcl", text, folder: "" });
  if (found === undefined) return undefined;
  const line = text.slice(0, found.offset).split("\n").length;
  return `${found.bracket} of ${line} before ${found.line ?? "the end"}`;
}

test("the bracket that nothing closes is found by the indentation", () => {
  const flow = 'flow "a" {\n  from {\n    connector = "ws"\n  }\n}\n';
  assert.equal(unclosed(flow + flow), undefined);
  assert.equal(unclosed(`${flow.slice(0, -2)}${flow}`), "{ of 1 before 5");
  assert.equal(unclosed("a {\n  b {\n    c = 1\n  d = 2\n}\n"), "{ of 2 before 4");
  assert.equal(unclosed("a {\n  b = [1,\n    2\n  c = 3\n}\n"), "[ of 2 before 4");
  assert.equal(unclosed("a {\n  b = f(1,\n    2\n}\n"), "( of 2 before 4");
  assert.equal(unclosed("a {\n  b = {\n    c = 1\n}\n"), "{ of 2 before 4");
  assert.equal(unclosed("a {\n  b = 1\n"), "{ of 1 before the end");
  // Without indentation the last one is as good as any.
  assert.equal(unclosed("a {\nb {\nc = 1\n}\n"), "{ of 1 before the end");
  // Where all are closed, an odd indentation is no mistake.
  assert.equal(unclosed("a {\n    b {\nc = 1\n  }\n}\n"), undefined);
  // One too many is another mistake.
  assert.equal(unclosed("a {\n}\n}\n"), undefined);
});

test("brackets in texts, comments and heredocs do not count", () => {
  const inert = 'a = "{[(\\"{"\n# {\n// [\n/* (\n{ */\nb = <<-EOT\n  {\n  EOT\nc = <<E\n[\nE\n';
  assert.equal(unclosed(inert), undefined);
  assert.equal(unclosed(`${inert}d = {\n`), "{ of 12 before the end");
  assert.equal(unclosed("a = <<E\n{\n"), undefined);
  assert.equal(unclosed('a = "{\nb = 1\n'), undefined);
});

test("a file of wrong lines has the problems that are shown, and no more", async () => {
  const text = Array.from({ length: 150_000 }, (_, n) => `a${n}: ${n}\n`).join("");
  const { problems } = await readTexts([text]);
  assert.equal(problems.length, 1001);
});

test("a comment that nothing closes is one problem, after those before it", async () => {
  const cases: readonly (readonly [text: string, ...places: string[]])[] = [
    ["/*", "1:1+2"],
    ["a = 1 /* b\nc\n", "1:7+2"],
    ["a = [1, /* b\nc\n", "1:9+2"],
    ["a = /* b\n", "1:5+2"],
    ["a {\n  b = = 1\n  c {\n    d = <<E\n/*\nE\n/* * /\n", "2:7+1", "7:1+2"],
    [`a {\n  b = "\${ /*\n}\n`, "2:11+2"],
    ["a = 1 /* */\nb = /", "2:5+1"],
    // In a text and behind another comment begins none.
    ['a = "/*"\n# /*\nb = ', "3:5+1"],
  ];
  for (const [text, ...places] of cases) {
    const { problems } = await readTexts([text]);
    assert.deepEqual(
      problems.map(({ line, column, length }) => `${line}:${column}+${length}`),
      places,
    );
  }
});

test("no brackets, texts or comments are too long to be looked through", () => {
  for (const start of ["a {\n/*", 'a {\nb = "', "a {\n#", "a {\nb = <<E\n"]) {
    assert.equal(unclosed(`${start}${"y y*".repeat(500_000)}`), "{ of 1 before the end", start);
  }
});

test("the parser is asked about no more of a file than what is shown of it", async () => {
  const lines = ["- y\n", "y\n", 'y "a" b c\n', "y: 1\n", "a.b(c)\n", '"k": [1, {}],\n'];
  for (const line of lines) {
    for (const [before, after] of [["", ""], ["a {\n  b {\n", "}\n}\n"]]) {
      const text = (count: number) => `${before}${line.repeat(count)}${after}`;
      const { cut } = new Measure().look(text(100_000));
      assert.ok(cut !== undefined && cut.end <= 1001 * line.length + before.length, line);
      assert.equal(new Measure().look(text(900)).cut, undefined);
      // The rest would add nothing.
      const file = { path: "a", text: text(3_000), folder: "" };
      const all = await parse("<config>", file.text).then(() => "", String);
      const { problems } = await readFiles([file], { env: () => undefined, readFile: () => "" });
      assert.deepEqual(problems, syntaxProblems(file, all, undefined), line);
    }
  }
});

test("a comment that nothing closes takes time that grows with its length alone", async () => {
  const best = async (size: number) => {
    const text = `a = 1\n/* ${"word it, is\n".repeat(size / 12)}`;
    let least = Infinity;
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      assert.equal((await readTexts([text])).problems.length, 1);
      least = Math.min(least, performance.now() - start);
    }
    return least;
  };
  await best(12);
  const [half, whole] = [await best(6 * 2 ** 20), await best(12 * 2 ** 20)];
  assert.ok(whole <= 4 * half + 20, `${half} ms, ${whole} ms`);
});

test("no text makes an explanation fail", () => {
  const parts = fc.constantFrom("a", " ", "\n", "{", "}", "[", "(", ")", '"', "'", "=", ":", "#");
  const soup = fc.array(
    fc.oneof(parts, fc.constantFrom("/*", "<<E\n", "E\n", ",", "->", "1", "$")),
  );
  fc.assert(fc.property(soup, (pieces) => {
    const text = pieces.join("");
    unclosed(text);
    for (const line of text.split("\n")) correctLine(line);
  }));
  fc.assert(fc.property(anyText({ maxLength: 80 }), (text) => {
    unclosed(text);
    correctLine(text);
  }));
});

/** The hint of the only problem of a text. */
async function hintOf(text: string): Promise<string | undefined> {
  const { problems } = await readTexts([text]);
  assert.equal(problems.length, 1, problems.map(({ message }) => message).join("\n"));
  return problems[0].hint;
}

const VALUES: ReadonlyArray<readonly [written: string, hint: string]> = [
  ["On", "write true"],
  ["FALSE", "write false"],
  ["undefined", "leave the attribute out"],
  ["import.meta.env.PORT", 'write env("PORT")'],
  ["locals.port", "write constants.port, and constants { port = … } beside the blocks"],
  ["connector.ws", 'write its name in quotes: "ws"'],
  ['"port ${PORT}"', 'write ${env("PORT")} in the text'],
  ['"${process.env.PORT}"', 'write env("PORT")'],
  [
    '"Hi ${input.a}, it\'s ${input.b}"',
    `+ joins texts: write "'Hi ' + input.a + ', it\\\\'s ' + input.b"`,
  ],
  [
    '"DELETE FROM a WHERE id = ${input.id}"',
    'write :id there, and beside the query params = { id = "input.id" }',
  ],
  ['"Hi " + input.a', `write it in quotes: "'Hi ' + input.a"`],
  ["length(input.a)", 'write it in quotes: "size(input.a)"'],
  ["[for x in [1] : x]", "write all items out"],
  ['"a" + "b"', "write one text; ${…} puts a value into it"],
];

for (const [written, hint] of VALUES) {
  test(`the value ${written}`, async () => assert.equal(await hintOf(`x = ${written}\n`), hint));
}

test("a mistake in a long line has no hint that is as long", async () => {
  const { problems } = await readTexts([`x: "${"a".repeat(1_000)}"\n`]);
  assert.ok((problems[0].hint ?? "").length < 100);
});

test("a file in another language is told once, at its first line", async () => {
  const files = {
    JSON: '\n{\n  "a": 1,\n  "b": 2\n}\n',
    YAML: "---\na: 1\nb: 2\n",
    "a program": "module.exports = {\n  a: 1,\n  b: 2,\n};\n",
  };
  for (const [language, text] of Object.entries(files)) {
    const { problems } = await readTexts([text]);
    assert.deepEqual(
      problems.map(({ message, line }) => [message, line]),
      [[
        `syntax error: this is ${language}, and a configuration is HCL`,
        text.startsWith("\n") ? 2 : 1,
      ]],
    );
  }
});
