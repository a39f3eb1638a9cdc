/** `test` blocks in a program: `runConfigTests` and `testConfig`. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { attribute } from "../../src/contract/fields.ts";
import { text } from "../../src/contract/value-schema.ts";
import {
  ConfigTestError,
  readConfigFiles,
  runConfigTests,
  testConfig,
} from "../../src/testing/mod.ts";

const CONFIG = `
connector "list" {
  type = "list"
  name = env("LIST_NAME", "plain")
}
connector "broker" {
  type   = "mq"
  driver = "memory"
}
flow "keep" {
  from {
    connector = "broker"
    operation = "note"
  }
  transform {
    text = "input.text"
    at   = "now()"
  }
  to { connector = "list" }
}
test "a note is kept" {
  given "broker" {
    operation = "note"
    data      = { text = "hi" }
  }
  expect "list" { data = { text = "hi", at = "2026-01-01T00:00:00.000Z" } }
}
test "a note is lost" {
  given "broker" {
    operation = "note"
    data      = { text = "hi" }
  }
  advance { by = "1h" }
  expect "list" { nothing = true }
}
`;

/** A connector of the program, and what was written to it in all tests. */
function program() {
  const kept: unknown[] = [];
  const list = defineConnector({
    fields: { name: attribute(text(), { about: "Its name.", required: true }) },
    destination: { fields: {} },
    test: (options) => options,
    create: ({ name }) => ({ write: ({ payload }) => void kept.push([name, payload]) }),
  });
  return { kept, connectors: { list } };
}

const LOST = `FAILED  a note is lost
        config.hcl:34  expect "list": received something
          received  {"data":{"text":"hi","at":"2026-01-01T00:00:00.000Z"}}`;

test("runConfigTests returns the results and the report of weir test", async () => {
  const { kept, connectors } = program();
  const env = (name: string) => name === "LIST_NAME" ? "of the test" : undefined;
  const { passed, results, report } = await runConfigTests(CONFIG, { connectors, env });
  assert.equal(passed, false);
  assert.deepEqual(
    results.map(({ name, failures, log }) => [name, failures.length, log]),
    [["a note is kept", 0, []], ["a note is lost", 1, []]],
  );
  assert.equal(report, `ok      a note is kept\n${LOST}\n2 tests, 1 failed`);
  const note = { text: "hi", at: "2026-01-01T00:00:00.000Z" };
  assert.deepEqual(kept, [["of the test", note], ["of the test", note]]);
});

test("runConfigTests runs the tests that a filter selects", async () => {
  const { connectors } = program();
  const { passed, report } = await runConfigTests(CONFIG, { connectors, filter: "kept" });
  assert.deepEqual([passed, report], [true, "ok      a note is kept\n1 test, all passed"]);
});

test("testConfig makes each block a test of the runner", async () => {
  const { connectors } = program();
  const tests = new Map<string, () => Promise<void>>();
  await testConfig((name, run) => tests.set(name, run), CONFIG, { connectors });
  assert.deepEqual([...tests.keys()], ["a note is kept", "a note is lost"]);
  // A runner may run them at the same time.
  const [kept, lost] = await Promise.allSettled([...tests.values()].map((run) => run()));
  assert.equal(kept.status, "fulfilled");
  assert.ok(lost.status === "rejected" && lost.reason instanceof ConfigTestError);
  assert.equal(lost.reason.message, LOST);
  assert.equal(lost.reason.result.failures.length, 1);
});

const { connectors: own } = program();
await testConfig(test, CONFIG, { connectors: own, filter: "is kept" });

test("a configuration with problems, and one without tests, is refused", async () => {
  const { connectors } = program();
  const refused = async (config: string, filter: string, codes: string[], message: RegExp) => {
    for (const run of [runConfigTests, testConfig.bind(undefined, assert.fail)]) {
      await assert.rejects(run(config, { connectors, filter }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(error.problems.map(({ code }) => code), codes);
        assert.match(error.message, message);
        return true;
      });
    }
  };
  await refused("", "", ["no-tests"], /no tests found; write one as test "what must happen"/);
  await refused(
    CONFIG,
    "found",
    ["no-tests"],
    /no test has "found" in its name; the configuration has "a note is kept", "a note is lost"/,
  );
  await refused(
    `${CONFIG}connector "x" {}`,
    "",
    ["missing-attribute"],
    /connector "x" needs the attribute "type"/,
  );
});

test("files, environment variables and plugins of this machine are there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-testing-"));
  process.env.WEIR_TESTING_NAME = "of this machine";
  try {
    const plugin = `const kept = [];
export default { list: {
  fields: {}, destination: { fields: {} }, test: (options) => options,
  create: () => ({ write: ({ payload }) => kept.push(payload) }),
} };`;
    await writeFile(join(folder, "list.mjs"), plugin);
    await writeFile(join(folder, "word.txt"), "hello");
    await writeFile(
      join(folder, "list.hcl"),
      `service { plugins = ["./list.mjs"] }
constants {
  name = env("WEIR_TESTING_NAME")
  word = file("word.txt")
}
connector "list" { type = "list" }
connector "broker" {
  type   = "mq"
  driver = "memory"
}
flow "keep" {
  from {
    connector = "broker"
    operation = "note"
  }
  transform { text = "constants.word + ' ' + constants.name" }
  to { connector = "list" }
}
test "a note" {
  given "broker" {
    operation = "note"
    data      = {}
  }
  expect "list" { data = { text = "hello of this machine" } }
}`,
    );
    const { report } = await runConfigTests(await readConfigFiles(folder));
    assert.equal(report, "ok      a note\n1 test, all passed");
  } finally {
    delete process.env.WEIR_TESTING_NAME;
    await rm(folder, { recursive: true });
  }
});
