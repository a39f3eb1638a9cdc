import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { holds } from "../../src/expression/condition.ts";
import {
  ConfigError,
  ConnectorError,
  ExpressionError,
  FlowError,
  TimeoutError,
  WorkerError,
} from "../../src/base/errors.ts";
import { ERROR_CODES, formatProblem, type Problem, PROBLEM_CODES } from "../../src/base/problem.ts";
import { compileExpression } from "../../src/expression/mod.ts";
import { didYouMean, nearest } from "../../src/base/nearest.ts";
import { UsageError } from "../../src/commands/arguments.ts";
import { ConfigPathError } from "../../src/server/files.ts";

const problem: Problem = {
  code: "unknown-operation",
  severity: "error",
  message: 'connector "ws" (websocket) has no operation "brodcast"',
  file: "chat.hcl",
  line: 34,
  column: 17,
  length: 10,
  source: '    operation = "brodcast"',
  hint: 'did you mean "broadcast"?',
};

const nowhere = { file: "", line: 0, column: 0, length: 0, source: "" };

test("formatProblem: the place, the line, a caret and the hint", () => {
  assert.equal(
    formatProblem(problem),
    [
      'error[unknown-operation]: connector "ws" (websocket) has no operation "brodcast"',
      "  ┌ chat.hcl:34:17",
      '34│     operation = "brodcast"',
      '  │                 ^^^^^^^^^^ did you mean "broadcast"?',
    ].join("\n"),
  );
});

test("formatProblem: the gutter is as wide as the line's number", () => {
  const { hint: _, ...plain } = problem;
  const shown = formatProblem({
    ...plain,
    severity: "warning",
    line: 7,
    column: 1,
    length: 1,
    source: "x",
  });
  assert.equal(
    shown,
    `warning[unknown-operation]: ${problem.message}\n ┌ chat.hcl:7:1\n7│ x\n │ ^`,
  );
  assert.match(formatProblem({ ...plain, line: 1234 }), /\n {4}┌ .*\n1234│ .*\n {4}│ /);
});

test("formatProblem: the caret stands below its characters", () => {
  const rows: ReadonlyArray<readonly [source: string, column: number, below: string]> = [
    ["x", 1, ""],
    ["\tx", 2, "\t"],
    ["a\tb\tx", 5, " \t \t"],
    ["äx", 2, " "],
    ["😀x", 2, " "],
    ["😀\tx", 3, " \t"],
    ["😀😀\t😀x", 5, "  \t "],
    // A place behind the end of the line, and one that cannot be.
    ["ab", 3, "  "],
    ["", 1, ""],
    ["ab", 9, "  "],
  ];
  for (const [source, column, below] of rows) {
    const shown = formatProblem({ ...problem, source, column, length: 0, hint: "h" }).split("\n");
    assert.equal(shown[2], `34│ ${source}`);
    assert.equal(shown[3], `  │ ${below}^ h`, JSON.stringify(source));
  }
});

test("formatProblem: without a place, and without a file", () => {
  const hint = "do something";
  const message = "no place";
  const [code, severity] = ["any-code", "error"] as const;
  assert.equal(formatProblem({ code, severity, message, ...nowhere }), "error[any-code]: no place");
  assert.equal(
    formatProblem({ code, severity, message, ...nowhere, file: "a.hcl", hint }),
    "error[any-code]: no place\n  ┌ a.hcl\n  = do something",
  );
  assert.equal(
    formatProblem({ code, severity, message, ...nowhere, hint }),
    "error[any-code]: no place\n  = do something",
  );
});

test("ConfigError shows all problems, an empty line between them", () => {
  const two = [problem, { ...problem, line: 35 }];
  const error = new ConfigError(two);
  assert.equal(error.message, two.map(formatProblem).join("\n\n"));
  assert.equal(error.problems, two);
  assert.equal(error.name, "ConfigError");
  assert.ok(error instanceof Error);
});

test("errors carry what their readers need, with the defaults that they promise", () => {
  const cause = new Error("why");
  const connector = new ConnectorError("db", "is down", { cause });
  assert.equal(connector.message, 'connector "db": is down');
  assert.deepEqual([connector.connector, connector.permanent, connector.cause], [
    "db",
    false,
    cause,
  ]);
  assert.equal(new ConnectorError("db", "no", { permanent: true }).permanent, true);

  const flow = new FlowError("chat", "timeout", { ref: "0badc0de", cause });
  assert.equal(flow.message, 'flow "chat" failed (ref 0badc0de)');
  assert.deepEqual([flow.flow, flow.code, flow.ref], ["chat", "timeout", "0badc0de"]);
  assert.deepEqual([flow.permanent, flow.cause], [false, cause]);

  const whole = new ExpressionError("a + b", "no");
  assert.deepEqual([whole.start, whole.end, whole.hint], [0, 5, undefined]);
  const part = new ExpressionError("a + b", "no", { start: 4, end: 5, hint: "c" });
  assert.deepEqual([part.start, part.end, part.hint, part.expression], [4, 5, "c", "a + b"]);
});

test("every error has a code", () => {
  const connector = new ConnectorError("db", "no", { code: "migration-failed" });
  assert.equal(connector.code, "migration-failed");
  const codes = [
    new ConnectorError("db", "no"),
    new ExpressionError("a", "no"),
    new ConfigError([problem]),
    new WorkerError("no"),
    new TimeoutError("no"),
    new UsageError("no"),
    new ConfigPathError("no"),
  ].map(({ code }) => code);
  assert.deepEqual(codes, [
    "connector-failed",
    "expression-failed",
    "invalid-configuration",
    "worker-failed",
    "timed-out",
    "usage-error",
    "no-configuration",
  ]);
  for (const code of codes) assert.ok(Object.hasOwn(ERROR_CODES, code), code);
});

test("an expression that cannot be compiled says why", () => {
  const codes: ReadonlyArray<readonly [source: string, code: string]> = [
    ["1 +", "expression-syntax"],
    ["nope", "unknown-variable"],
    ["nope()", "unknown-function"],
    ["size()", "wrong-arguments"],
    ["has(1)", "invalid-expression"],
  ];
  for (const [source, code] of codes) {
    assert.throws(() => compileExpression(source, []), { name: "ExpressionError", code }, source);
  }
});

test("nearest: the name that was probably meant", () => {
  const names = ["broadcast", "send_to_room", "send_to_user", "ws", "db", "message", "Message2"];
  const cases: ReadonlyArray<readonly [name: string, found: string | undefined]> = [
    ["brodcast", "broadcast"],
    ["boradcast", "broadcast"],
    ["BROADCAST", "broadcast"],
    ["broadcasts", "broadcast"],
    ["braodcsat", "broadcast"],
    ["send_to_rooms", "send_to_room"],
    ["send_to_usr", "send_to_user"],
    ["w", "ws"],
    ["sw", "ws"],
    ["wss", "ws"],
    ["dc", "db"],
    ["message", "message"],
    ["message2", "Message2"],
    ["massage", "message"],
    ["publish", undefined],
    ["xy", undefined],
    ["", undefined],
    ["x".repeat(1000), undefined],
    ["__proto__", undefined],
    ["nothing like it", undefined],
  ];
  for (const [name, found] of cases) assert.equal(nearest(name, names), found, name);
});

test("nearest: the first of two that are equally close, and nothing of nothing", () => {
  assert.equal(nearest("bat", ["cat", "bar"]), "cat");
  assert.equal(nearest("bat", new Set(["bar", "cat"])), "bar");
  assert.equal(nearest("a", []), undefined);
});

test("didYouMean", () => {
  assert.equal(didYouMean("brodcast", ["broadcast"]), 'did you mean "broadcast"?');
  assert.equal(didYouMean("x", ["broadcast"]), undefined);
});

test("holds: true, false, and null for a missing field", () => {
  const scope = { input: { yes: true, no: false, text: "", list: [], map: {}, zero: 0 } };
  const of = (source: string) => holds(compileExpression(source, ["input"]), scope);
  assert.equal(of("input.yes"), true);
  assert.equal(of("input.no"), false);
  assert.equal(of("input.absent"), false);
  assert.equal(of("input.absent.deeper"), false);
  assert.equal(of("input.zero == 0"), true);
});

test("holds: anything else is an error that names the expression", () => {
  const scope = { input: { text: "true", list: [true], map: {}, one: 1 } };
  const cases = [["text", "text"], ["list", "a list"], ["map", "an object"], ["one", "a number"]];
  for (const [field, kind] of cases) {
    const source = `input.${field}`;
    assert.throws(() => holds(compileExpression(source, ["input"]), scope), {
      name: "ExpressionError",
      message: `"${source}" must be true or false, got ${kind}`,
    });
  }
});

test("docs/check.md lists every code and what it means", async () => {
  const page = await readFile(new URL("../../docs/check.md", import.meta.url), "utf8");
  const [, section] = page.split("\n## Codes\n");
  const rows = [...section.split("\n## ")[0].matchAll(/^\| `([a-z-]+)` +\| (.*?) +\|$/gm)]
    .map(([, code, meaning]) => [code, meaning]);
  assert.deepEqual(rows, Object.entries({ ...PROBLEM_CODES, ...ERROR_CODES }));
});
