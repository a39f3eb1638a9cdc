/** docs/testing.md says how tests are written. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { runConfigTests } from "../../src/testing/config.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { formatResult, formatSummary } from "../../src/testing/report.ts";
import type { TestResult } from "../../src/testing/report.ts";
import { runTest } from "../../src/testing/run.ts";
import { fieldsOfTest } from "../support/loading.ts";

const PAGE = readFileSync(new URL("../../docs/testing.md", import.meta.url), "utf8");
const CODE = [...PAGE.matchAll(/```(\w*)\n([^]*?)```/g)];

/** The examples in one language, in their order. */
function examples(language: string): readonly string[] {
  return CODE.filter(([, found]) => found === language).map(([, , code]) => code);
}

test("tests page: its example gives what it says", async () => {
  const [flows, tests] = examples("hcl");
  const [expected] = examples("");
  const clock = new ManualClock();
  const file = { path: "shop.hcl", text: flows + tests, folder: "." };
  const model = await loadConfig([file], { now: () => clock.now() });
  const results: TestResult[] = [];
  for (const one of model.tests) results.push(await runTest(model, one, { clock }));
  assert.equal(
    `${[...results.map((result) => formatResult(result)), formatSummary(results)].join("\n")}\n`,
    expected,
  );
});

test("tests page: the coverage of its example is what it says", async () => {
  const [flows, tests] = examples("hcl");
  const [, expected] = examples("");
  const [first] = tests.split(/(?=^test )/m).filter((text) => text !== "");
  const file = { path: "shop.hcl", text: flows + first, folder: "." };
  const { report } = await runConfigTests([file], { coverage: true });
  assert.equal(`${report}\n`, expected);
});

test("tests page: its other tests pass", async () => {
  const whole = examples("hcl").filter((code) => /^test /m.test(code) && /^connector /m.test(code));
  assert.ok(whole.length >= 2);
  for (const code of whole) {
    const { report, passed } = await runConfigTests(code);
    assert.ok(passed, report);
  }
});

test("tests page: it names every attribute of every block", () => {
  const blocks = fieldsOfTest();
  for (const [name, { fields = {} }] of Object.entries(blocks)) {
    const section = new RegExp(`^## ${name}\n([^]*?)(?=^## |$(?![^]))`, "m").exec(PAGE)?.[1] ?? "";
    for (const attribute of Object.keys(fields)) {
      assert.match(
        section,
        new RegExp(`\`${attribute}\`|\\b${attribute} =`),
        `${name}.${attribute}`,
      );
    }
  }
});
