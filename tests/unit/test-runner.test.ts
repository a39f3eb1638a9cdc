/** The command that runs these tests: it reads reports and divides the work among lanes. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { parseReport } from "../runner/junit.ts";
import { splitReport } from "../runner/shared.ts";
import { type Part, runSteps, tail } from "../runner/steps.ts";
import { gather, isolated, later, queueOf, together } from "../runner/suites.ts";

const reports = {
  deno: `
    <testcase name="a &amp; b" classname="./tests/a.test.ts" time="0.003" line="3" col="1">
      <failure message="Uncaught Error: 1 &lt; 2">Error: 1 &lt; 2
    at file:///a.test.ts:3:1</failure>
    </testcase>
    <testcase name="later" classname="./tests/a.test.ts"><skipped/></testcase>`,
  bun: `
    <testcase name="a &amp; b" classname="" time="0.1" file="./tests/a.test.ts" line="3">
      <failure type="Error" message="1 &lt; 2">Error: 1 &lt; 2&#10;    at file:///a.test.ts:3:1&#10;</failure>
    </testcase>
    <testcase name="later" file="./tests/a.test.ts"><skipped /></testcase>`,
  node: `
    <testcase name="a &amp; b" time="0.1" classname="test" file="./tests/a.test.ts" failure="1 > 2">
      <failure type="testCodeFailure" message="1 &lt; 2">
[Error [ERR_TEST_FAILURE]: 1 &lt; 2] {
  failureType: 'testCodeFailure',
  cause: Error: 1 &lt; 2
      at file:///a.test.ts:3:1
}
      </failure>
    </testcase>
    <testcase name="later" file="./tests/a.test.ts"><skipped type="skipped" message="no broker"/></testcase>`,
};

for (const [runtime, xml] of Object.entries(reports)) {
  test(`test runner: a report of ${runtime} has names, results and the text of a failure`, () => {
    const file = "./tests/a.test.ts";
    const failure = "Error: 1 < 2\n    at file:///a.test.ts:3:1";
    const reason = runtime === "node" ? "no broker" : "";
    assert.deepEqual(parseReport(`<testsuites>${xml}</testsuites>`), [
      { name: "a & b", file, result: "failed", reason: "", failure },
      { name: "later", file, result: "skipped", reason, failure: "" },
    ]);
  });
}

test("test runner: files that share a process are there, and in one group alone", () => {
  const grouped = together.flat();
  assert.equal(new Set(grouped).size, grouped.length);
  const apart = [...isolated, ...later.flat().map(({ file }) => file)];
  assert.deepEqual(grouped.filter((file) => apart.includes(file)), []);
  for (const file of grouped) {
    assert.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file);
  }
});

test("test runner: files that wait hold up no others where everything runs", () => {
  const [redis, nats, broker] = ["instances-redis", "instances-nats", "watch-rabbitmq"].map((
    name,
  ) => `tests/e2e/${name}.test.ts`);
  assert.deepEqual([redis, nats, broker].map((file) => queueOf(file, "e2e")), [
    redis,
    nats,
    "broker",
  ]);
  assert.deepEqual([redis, broker].map((file) => queueOf(file, undefined)), [undefined, "broker"]);
});

test("test runner: groups of files go first, and each other file has its own process", () => {
  const [[first, second, ...more]] = together;
  assert.ok(more.length > 0);
  assert.deepEqual(gather(["tests/a.test.ts", first, "tests/b.test.ts", second]), [
    [first, second],
    ["tests/a.test.ts"],
    ["tests/b.test.ts"],
  ]);
});

test("test runner: in a report about several files each test is in the one that is marked before it", () => {
  const files = ["tests/a.test.ts", "tests/b.test.ts", "tests/c.test.ts"];
  const mark = (file: string, end: string) =>
    `<testcase classname="x" name="begins: ${file}"${end}`;
  const report = `<testsuites>
    <testcase name="lost" file="x"/>
    ${mark(files[0], "></testcase>")}
    <testcase name="1 > 0" file="x"/>
    <testcase name="bad" file="x"><failure message="why"/></testcase>
    ${mark(files[1], " />")}
    ${mark(files[2], ">\n</testcase>")}
    <testcase name="1 > 0" file="x"/>
  </testsuites>`;
  const found = [...splitReport(report, files)].map((
    [file, part],
  ) => [file, ...parseReport(part).map(({ name, result }) => `${name}: ${result}`)]);
  assert.deepEqual(found, [
    [files[0], "1 > 0: passed", "bad: failed"],
    [files[1]],
    [files[2], "1 > 0: passed"],
  ]);
  // One file needs no mark.
  assert.deepEqual([...splitReport(report, ["x"])], [["x", report]]);
});

test("test runner: a failure without text has the message of its element", () => {
  const xml = '<testcase name="a" file="b"><failure message="1 &lt; 2"/></testcase>';
  assert.equal(parseReport(xml)[0].failure, "1 < 2");
});

test("test runner: parts of a queue run one after the other, all others side by side", async () => {
  const running = new Set<string>();
  let most = 0;
  const part = (name: string, queue?: string): Part => ({
    name,
    queue,
    run: async () => {
      if (queue !== undefined) assert.ok(![...running].some((other) => other.startsWith(queue)));
      running.add(name);
      most = Math.max(most, running.size);
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setTimeout(resolve));
      running.delete(name);
      return { passed: 1, failures: [], skipped: [], output: "" };
    },
  });
  const names = Array.from({ length: 6 }, (_, n) => n);
  const steps = [
    { name: "without a queue", parts: names.map((n) => part(`free ${n}`)) },
    { name: "two queues", parts: names.map((n) => part(`queue ${n % 2} ${n}`, `queue ${n % 2}`)) },
  ];
  const results = await runSteps(steps, 4);
  assert.deepEqual(results.map(({ passed, failures }) => [passed, failures]), [[6, []], [6, []]]);
  assert.equal(most, 4);
});

test("test runner: a spare lane takes what waits for the processor alone", async () => {
  const running = new Set<string>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let most = 0;
  const part = (name: string, queue: string, heavy: boolean): Part => ({
    name,
    queue,
    heavy,
    run: async () => {
      running.add(name);
      most = Math.max(most, running.size);
      await released;
      running.delete(name);
      return { passed: 1, failures: [], skipped: [], output: "" };
    },
  });
  const parts = [
    ...["a1", "a2"].map((name) => part(name, "broker", false)),
    ...["b1", "b2", "b3"].map((name) => part(name, "heavy", true)),
  ];
  let free = false;
  const spare = { most: 4, every: 1, free: () => free };
  const ended = runSteps([{ name: "step", parts }], 2, spare);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  await pause();
  assert.deepEqual([...running], ["a1", "b1"]);
  free = true;
  while (running.size < 4) await pause();
  await pause();
  assert.deepEqual([...running], ["a1", "b1", "b2", "b3"]);
  release();
  const [{ passed }] = await ended;
  assert.deepEqual([passed, most], [5, 4]);
});

test("test runner: a part that throws is a failure, and the next ones run", async () => {
  const bad: Part = { name: "bad", run: () => Promise.reject(new Error("no disk")) };
  const good: Part = {
    name: "good",
    run: () => Promise.resolve({ passed: 1, failures: [], skipped: [], output: "" }),
  };
  const [{ passed, failures }] = await runSteps([{ name: "step", parts: [bad, good] }], 1);
  assert.equal(passed, 1);
  assert.equal(failures[0].name, "step: bad");
  assert.match(failures[0].text, /^Error: no disk\n/);
});

test("test runner: the end of an output begins with a whole line", () => {
  assert.equal(tail("one\ntwo\n", 100), "one\ntwo");
  assert.equal(tail("first line\nsecond\nthird\n", 15), "…\nsecond\nthird");
});
