import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigError } from "../../src/base/errors.ts";
import { formatProblem, type Problem } from "../../src/base/problem.ts";
import type { CheckReport } from "../../src/commands/check.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions, readConfigFiles } from "../../src/server/files.ts";
import { root, type Stage, stageTest } from "../support/process.ts";
import { runInSession } from "../support/weir-session.ts";

const fixtures = join(root, "tests/fixtures");
const problems = join(fixtures, "problems");

stageTest("check and run show every mistake of a folder at its place, at once", async (stage) => {
  const expected = await readFile(join(fixtures, "mistakes/expected.txt"), "utf8");
  for (const command of ["check", "run"]) {
    const args = [command, "mistakes"];
    const exit = command === "run"
      ? await stage.weir(args, { cwd: fixtures })
      : await runInSession(stage, args, { cwd: fixtures });
    assert.deepEqual(exit, { code: 1, signal: null, stdout: "", stderr: expected });
  }
});

stageTest(
  "the command prints each problem, errors and warnings to standard error",
  async (stage) => {
    for (const name of ["expression-syntax", "to-transform-block", "syntax-unclosed-string"]) {
      const shown = (await problemsOf(name)).map(formatProblem);
      const stderr = `${shown.join("\n\n")}\n\n${shown.length} problem${
        shown.length === 1 ? "" : "s"
      }\n`;
      const exit = await runInSession(stage, ["check", `${name}.hcl`], { cwd: problems });
      assert.deepEqual(exit, { code: 1, signal: null, stdout: "", stderr });
    }
    const [stderr, ...more] = (await problemsOf("warning-loop")).map((found) =>
      `${formatProblem(found)}\n\n`
    );
    assert.deepEqual(more, []);
    const exit = await runInSession(stage, ["check", "warning-loop.hcl"], { cwd: problems });
    const stdout = "good: 1 connector, 1 flow, 0 tests, 1 warning\n";
    assert.deepEqual(exit, { code: 0, signal: null, stdout, stderr });
  },
);

stageTest("what a broken file declares is missed once the file is gone", async (stage) => {
  const folder = await stage.copy("mistakes");
  await rm(join(folder, "more"), { recursive: true });
  const { code, stderr } = await runInSession(stage, ["check", folder]);
  assert.equal(code, 1);
  assert.match(stderr, /^error\[unknown-connector\]: flow "archive": .*"broken"$/m);
  assert.match(stderr, /^error\[unknown-connector\]: flow "archive", to: .*"brokne"$/m);
  assert.doesNotMatch(stderr, /syntax-error/);
});

stageTest("check says that a configuration is good, with --strict, too", async (stage) => {
  const options = { cwd: fixtures, env: { PAGE_MQ: "rabbitmq" } };
  const stdout = "good: 3 connectors, 3 flows, 4 tests\n";
  const good = { code: 0, signal: null, stdout, stderr: "" };
  for (const args of [["check", "page"], ["check", "page", "--strict"]]) {
    assert.deepEqual(await runInSession(stage, args, options), good);
  }
  // A process of its own ends as the others do in one.
  assert.deepEqual(await stage.weir(["check", "page"], options), good);
});

stageTest("with --strict a warning is an error, and errors are told as ever", async (stage) => {
  const [warning] = (await problemsOf("warning-loop")).map(formatProblem);
  const stderr = `${warning}\n\n1 warning; failing because of --strict: warnings count as errors\n`;
  const exit = await runInSession(stage, ["check", "--strict", "warning-loop.hcl"], {
    cwd: problems,
  });
  assert.deepEqual(exit, { code: 1, signal: null, stdout: "", stderr });

  const files = ["warning-loop.hcl", "duration.hcl"];
  const both = await runInSession(stage, ["check", "--strict", ...files], { cwd: problems });
  assert.equal(both.code, 1);
  assert.match(both.stderr, /\n\n1 problem, 1 warning\n$/);
});

stageTest("--json: one document, with ranges that an editor can use", async (stage) => {
  await writeFile(
    join(stage.folder, "chat.hcl"),
    `connector "ws" {
  type = "websocket"
  port = 3001
}
flow "say" {
  from {
    connector = "ws"
  }
  transform {
\t  b = "'😀' + inptu.b"
    c = "client.user_id"
  }
}
`,
  );
  const { code, report } = await checkAsJson(stage, ["chat.hcl"]);
  assert.equal(code, 1);
  const { good, problems: found, ...counts } = report;
  assert.equal(good, false);
  assert.deepEqual(counts, { connectors: null, flows: null, tests: null });
  const message = 'flow "say": b: unknown variable "inptu"';
  const problem = found.find((item) => item.message === message);
  assert.deepEqual(problem, {
    code: "unknown-variable",
    severity: "error",
    message,
    file: "chat.hcl",
    line: 10,
    // In front of it a character of two UTF-16 units.
    column: 15,
    length: 5,
    hint: 'did you mean "input"?',
    range: { start: { line: 9, character: 15 }, end: { line: 9, character: 20 } },
  });
});

stageTest("--json: warnings, with and without --strict", async (stage) => {
  const file = join(problems, "warning-client-user-id.hcl");
  for (const strict of [false, true]) {
    const { code, report } = await checkAsJson(stage, [file, ...(strict ? ["--strict"] : [])]);
    assert.equal(code, strict ? 1 : 0);
    const { good, problems: [problem, ...more], ...counts } = report;
    assert.equal(good, !strict);
    assert.equal(problem.severity, "warning");
    assert.deepEqual(problem.range, {
      start: { line: 17, character: 22 },
      end: { line: 17, character: 36 },
    });
    assert.deepEqual(more, []);
    assert.deepEqual(counts, { connectors: 2, flows: 1, tests: 0 });
  }
});

stageTest("--json: what cannot be read is a problem without a place", async (stage) => {
  const rows: ReadonlyArray<readonly [args: readonly string[], message: string]> = [
    [["nowhere"], "nowhere: there is no such file or folder"],
    [["."], ".: there is no .hcl or .mycel file"],
  ];
  for (const [args, expected] of rows) {
    const { code, report } = await checkAsJson(stage, args);
    assert.equal(code, 2);
    const [{ message, ...place }] = report.problems;
    assert.equal(message, expected);
    const start = { line: 0, character: 0 };
    assert.deepEqual(place, {
      code: "no-configuration",
      severity: "error",
      file: "",
      line: 0,
      column: 0,
      length: 0,
      range: { start, end: start },
    });
  }
});

stageTest("docs/check.md shows what the command says", async (stage) => {
  const text = await readFile(join(root, "docs/check.md"), "utf8");
  const example = (kind: string): string =>
    new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\`$`, "ms").exec(text)?.[1] ?? "";
  await writeFile(join(stage.folder, "chat.hcl"), example("hcl"));
  const exit = await runInSession(stage, ["check", "chat.hcl"]);
  assert.deepEqual(exit, { code: 1, signal: null, stdout: "", stderr: example("text") });
  const { report } = await checkAsJson(stage, ["chat.hcl"]);
  assert.deepEqual(report, JSON.parse(example("json")));
});

stageTest("what is long comes whole, as JSON and as text", async (stage) => {
  const connectors = Array.from({ length: 1000 }, (_, n) => `connector "c${n}" {\n}\n`);
  await writeFile(join(stage.folder, "many.hcl"), connectors.join(""));
  // What a process has not written when it ends would be missed.
  const json = await stage.weir(["check", "--json", "many.hcl"]);
  const report: CheckReport = JSON.parse(json.stdout);
  assert.deepEqual([report.problems.length, json.stderr], [1000, ""]);
  const { stderr } = await stage.weir(["check", "many.hcl"]);
  assert.match(stderr, /\n\n1000 problems\n$/);
});

stageTest("--connect tries databases and brokers, and changes nothing", async (stage) => {
  const database = (name: string, file: string) =>
    `connector "${name}" {
  type       = "database"
  driver     = "sqlite"
  database   = "${file}"
  migrations = "./talk/migrations"
}
`;
  await stage.copy("talk");
  const good = [database("new", "./not/there/yet.db"), database("inside", ":memory:")].join("\n");
  await writeFile(join(stage.folder, "good.hcl"), good);
  assert.deepEqual(await runInSession(stage, ["check", "--connect", "good.hcl"]), {
    code: 0,
    signal: null,
    stdout:
      `connector "new": there is no file "${stage.folder}/not/there/yet.db" yet; 1 migration waits
connector "inside": a database in memory; 1 migration waits
good: 2 connectors, 0 flows, 0 tests
`,
    stderr: "",
  });
  assert.deepEqual((await readdir(stage.folder)).sort(), ["good.hcl", "talk"]);

  await writeFile(join(stage.folder, "letter.txt"), "This is no database. ".repeat(100));
  const away = `connector "rabbit" {
  type   = "mq"
  driver = "rabbitmq"
  url    = "amqp://127.0.0.1:1"
}
`;
  const bad = [database("letter", "./letter.txt"), away, database("new", "./yet.db")].join("\n");
  await writeFile(join(stage.folder, "bad.hcl"), bad);
  const { code, stdout, stderr } = await stage.weir(["check", "--connect", "bad.hcl"]);
  assert.equal(code, 3);
  const waits = `there is no file "${stage.folder}/yet.db" yet; 1 migration waits`;
  assert.equal(stdout, `connector "new": ${waits}\n`);
  assert.match(
    stderr,
    /^error\[connector-failed\]: connector "letter": cannot open ".*letter\.txt": .*not a database; name another file, .*\nerror\[connector-failed\]: connector "rabbit": the broker 127\.0\.0\.1:1 is away: .*ECONNREFUSED.*\n$/,
  );
  const { report } = await checkAsJson(stage, ["--connect", "bad.hcl"]);
  assert.equal(report.good, false);
  assert.equal(report.problems.length, 2);
  assert.deepEqual(
    report.connections?.map(({ connector, found, error }) => [connector, found !== error]),
    [["letter", true], ["rabbit", true], ["new", true]],
  );

  const flow = `flow "f" {
  when = "@every 1h"
  to {
    connector = "inside"
    target    = "nowhere"
  }
}
`;
  await writeFile(join(stage.folder, "wrong.hcl"), flow + database("inside", ":memory:"));
  const wrong = await runInSession(stage, ["check", "--connect", "wrong.hcl"]);
  assert.equal(wrong.code, 1);
  assert.equal(wrong.stdout, "");
  assert.match(wrong.stderr, /^error\[unknown-table\]: .*"nowhere"\n {1}┌ wrong\.hcl:5:17\n/);
  assert.match(wrong.stderr, /\n\n1 problem\n$/);
  const json = await checkAsJson(stage, ["--connect", "wrong.hcl"]);
  assert.deepEqual([json.code, json.report.good], [1, false]);
  assert.deepEqual(json.report.problems.map(({ code, line }) => [code, line]), [
    ["unknown-table", 5],
  ]);
});

/** The problems of one file in tests/fixtures/problems. */
async function problemsOf(name: string): Promise<readonly Problem[]> {
  const [source] = await readConfigFiles(join(problems, `${name}.hcl`));
  const options = { ...hostOptions, embedded: false };
  return await loadConfig([{ ...source, path: `${name}.hcl` }], options).then(
    ({ warnings }) => warnings,
    (error: ConfigError) => error.problems,
  );
}

/** Runs `check --json`; its standard error must be empty. */
async function checkAsJson(
  stage: Stage,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly report: CheckReport }> {
  const { code, stdout, stderr } = await runInSession(stage, ["check", "--json", ...args]);
  assert.equal(stderr, "");
  return { code, report: JSON.parse(stdout) };
}
