import assert from "node:assert/strict";
import { test } from "node:test";
import { defineConnector } from "../../src/contract/definition.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { Declared } from "../../src/config/declared.ts";
import { readFiles } from "../../src/hcl/mod.ts";
import { problemsOf } from "../support/config.ts";
import { codeOf } from "../support/problems.ts";
import { Measure } from "../../src/hcl/limits.ts";

const options = { env: () => undefined, readFile: () => "" };

function constants(value: string): string {
  return `constants {\n  a = ${value}\n}\n`;
}

/** What is inside each other `n` times, and how often the parser must survive it. */
const DEEP: Readonly<Record<string, readonly [deepest: number, (n: number) => string]>> = {
  "!": [199, (n) => constants(`${"!".repeat(n)}true`)],
  "-": [199, (n) => constants(`${"-".repeat(n)}1`)],
  "+": [199, (n) => constants(`1${"+1".repeat(n)}`)],
  "==": [199, (n) => constants(`1${"==1".repeat(n)}`)],
  "!=": [199, (n) => constants(`1${"!=1".repeat(n)}`)],
  "?": [199, (n) => constants(`${"true?1:".repeat(n)}1`)],
  "a step": [199, (n) => constants(`a${".b".repeat(n)}`)],
  "an index": [199, (n) => constants(`a${"[0]".repeat(n)}`)],
  "a bracket": [199, (n) => constants(`${"(".repeat(n)}1${")".repeat(n)}`)],
  "a list": [199, (n) => constants(`${"[".repeat(n)}1${"]".repeat(n)}`)],
  "an object": [199, (n) => constants(`${"{a=".repeat(n)}1${"}".repeat(n)}`)],
  "a template": [99, (n) => constants(`${'"${'.repeat(n)}1${'}"'.repeat(n)}`)],
  "an if": [197, (n) => constants(`"${"%{if true}".repeat(n)}x${"%{endif}".repeat(n)}"`)],
  "a label": [200, (n) => `a ${'"b" '.repeat(n)}{\n}\n`],
  "a block": [200, (n) => `${"a {\n".repeat(n)}${"}\n".repeat(n)}`],
};

for (const [name, [deepest, make]] of Object.entries(DEEP)) {
  test(`the parser survives ${name} inside ${name}, as deep as it may be`, async () => {
    const file = { path: "a.hcl", text: make(deepest), folder: "" };
    const { problems } = await readFiles([file], options);
    assert.ok(problems.every(({ message }) => !/inside each other|parser/.test(message)));
    assert.match(new Measure().look(make(deepest + 1)).excess?.message ?? "", /inside each other/);
  });
}

test("what only looks deep is good", () => {
  const good = [
    constants(`"${"!-+?.([{".repeat(1_000)}"`),
    constants(`<<A\n${"!-+?.([{\n".repeat(1_000)}A`),
    constants(`[${"1 + 1, ".repeat(1_000)}]`),
    constants(`[\n${"a.b.c\n".repeat(1_000)}]`),
    constants(`"${"${1 + 1}".repeat(1_000)}"`),
    constants(`"${"%{if true}x%{endif}".repeat(500)}"`),
    `# ${"(".repeat(1_000)}\n/* ${"[".repeat(1_000)} */\n// ${"{".repeat(1_000)}\n`,
    'a "b" "c" {\n  d = 1\n}\n'.repeat(1_000),
    constants("{\n  a = 1 + 1\n}").repeat(1_000),
  ];
  for (const text of good) {
    assert.deepEqual(
      new Measure().look(text),
      { excess: undefined, cut: undefined },
      text.slice(0, 60),
    );
  }
});

test("a bracket that is missing is a syntax error, however long the rest of the file is", async () => {
  const rest = 'flow "f" {\n  when = "@every 5s"\n  a.b = c.d + 1\n}\n'.repeat(200);
  const file = { path: "a.hcl", text: `constants {\n  a = [1, 2\n}\n${rest}`, folder: "" };
  const { problems } = await readFiles([file], options);
  assert.equal(codeOf(problems[0]), "syntax-error");
});

test("constants that hold each other become neither too large nor too deep", async () => {
  const grow = (first: string, next: (name: string) => string, count: number) => {
    const names = Array.from({ length: count }, (_, n) => n);
    const lines = names.map((n) => `  a${n + 1} = ${next(`constants.a${n}`)}\n`);
    return `constants {\n  a0 = ${first}\n${lines.join("")}}\n`;
  };
  const cases: ReadonlyArray<readonly [text: string, place: string]> = [
    [grow('"ha"', (name) => `"\${${name}}\${${name}}"`, 40), "25:9+34"],
    [grow("[1]", (name) => `[${name}, ${name}]`, 60), "24:9+30"],
    [grow("{ a = 1 }", (name) => `{ a = ${name}, b = ${name} }`, 60), "24:9+40"],
    [grow("[1]", (name) => `[${name}]`, 300), "202:10+16"],
    [grow(`"${"x".repeat(2 ** 20)}"`, (name) => name, 90), "66:9+13"],
  ];
  for (const [text, place] of cases) {
    assert.deepEqual(await problemsOf(text), [`config.hcl:${place} too-large`]);
  }
});

test("a type is as large as what it says, whatever the length of its file", async () => {
  const types = Array.from(
    { length: 100 },
    (_, n) => `type "t${n}" {\n  a = string({ min_length = 1 })\n}\n`,
  );
  const { warnings } = await loadConfig(`# ${"x".repeat(2 ** 20)}\n${types.join("")}`);
  assert.deepEqual(warnings, []);
});

test("looking for a block that could not be read does not go through all blocks", () => {
  let looks = 0;
  const headers = Array.from({ length: 1_000 }, (_, n) => ({
    labels: [`b${n}`],
    get type() {
      looks++;
      return n < 900 ? "flow" : "flwo";
    },
  }));
  const span = { file: { path: "", text: "", folder: "" }, start: 0, end: 0 };
  const declared = new Declared({ attributes: [], blocks: [], span }, headers, false);
  looks = 0;
  assert.ok(declared.mayExist("flow", "b1") && declared.mayExist("type", "b999"));
  assert.ok(!declared.mayExist("type", "b1") && !declared.mayExist("flow", "b1000"));
  assert.ok(declared.mayExceed("flow", 999) && !declared.mayExceed("flow", 1_000));
  assert.equal(looks, 0);
});

test("flows that publish to one target are compared with all others once, not each of them", async () => {
  let compared = 0;
  const broker = defineConnector({
    fields: {},
    source: {
      kind: "messages",
      receives(operation, target) {
        compared++;
        return operation === target;
      },
    },
    destination: { fields: {} },
    create: () => ({}),
  });
  const flows = Array.from({ length: 50 }, (_, n) =>
    `flow "f${n}" {
    from {
      connector = "b"
      operation = "o${n}"
    }
    to {
      connector = "b"
      target = "somewhere"
    }
  }
  `);
  const text = `connector "b" {\n  type = "broker"\n}\n${flows.join("")}`;
  await loadConfig(text, { connectors: { broker } });
  assert.equal(compared, 50);
});

test("a long line is shown in part", async () => {
  const text = constants(`"${"x".repeat(100_000)}" ?`);
  await assert.rejects(loadConfig(text), (error) => {
    assert.ok(error instanceof ConfigError && error.message.length < 1_000, error as string);
    return true;
  });
});
