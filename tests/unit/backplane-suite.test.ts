/** The contract suite of backplanes finds every broken rule, and says which one it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BackplaneRuleError, backplaneTests, testBackplane } from "../../src/testing/mod.ts";
import { broken, brokerOf, type Options } from "../support/broken-backplanes.ts";

const ignored = (): undefined => undefined;

/** Runs all rules; returns the errors, and what was skipped. */
async function resultsOf(options: Options) {
  const failures: BackplaneRuleError[] = [];
  const skipped = new Map<string, string>();
  for (const { rule, run } of backplaneTests(options)) {
    try {
      const reason = await run();
      if (reason !== undefined) skipped.set(rule, reason);
    } catch (error) {
      assert.ok(error instanceof BackplaneRuleError, String(error));
      failures.push(error);
    }
  }
  return { failures, skipped };
}

/** How long a broken backplane has, in milliseconds. */
const PATIENCE = 1_000;

// They run together, since most of the time they wait.
const results = new Map(
  Object.entries(broken).map(([name, change]) => {
    const broker = brokerOf(typeof change === "function" ? { change } : change);
    // What costs most says nothing about the others.
    const skip = Object.fromEntries(
      ["many", "bytes", "ttl"].filter((rule) => !name.startsWith(`${rule}:`))
        .map((rule) => [rule, "is slow"]),
    );
    const results = resultsOf({ name, ...broker, skip, patience: PATIENCE });
    results.catch(ignored);
    return [name, results] as const;
  }),
);

test("every rule has a backplane that breaks it", () => {
  const rules = backplaneTests({ name: "memory", ...brokerOf() }).map(({ rule }) => rule);
  const covered = new Set(Object.keys(broken).map((name) => name.split(":")[0]));
  assert.deepEqual(rules.filter((rule) => !covered.has(rule)), []);
});

for (const [name, result] of results) {
  const [rule] = name.split(":");
  test(`the suite says that a backplane breaks the rule ${name}`, async () => {
    const { failures, skipped } = await result;
    assert.deepEqual(failures.map((failure) => failure.rule), [rule], failures.join("\n"));
    const [{ message, seen }] = failures;
    assert.ok(message.startsWith(seen) && message.includes(`\n  rule:  ${rule}: `), message);
    for (const [other, reason] of skipped) {
      if (reason !== "is slow") assert.equal(reason, `the rule "${rule}" is broken`, other);
    }
  });
}

testBackplane({ test, name: "memory", ...brokerOf() });
testBackplane({
  test,
  name: "memory that tells the members and hears others alone",
  ...brokerOf({ capabilities: { echoes: false, order: "sender", live: "probe", members: true } }),
});

test("rules about a broker that goes away need one that does", () => {
  const { create } = brokerOf();
  const rules = backplaneTests({ name: "memory", create }).map(({ rule }) => rule);
  assert.deepEqual(rules.filter((rule) => ["away", "late", "recovery"].includes(rule)), []);
});

test("a failure of the author's own functions is said by one rule", async () => {
  const fail = () => Promise.reject(new Error("not yet"));
  const made = await resultsOf({ name: "none", create: fail });
  assert.deepEqual(made.failures.map(({ rule, seen }) => [rule, seen]), [
    ["open", "create() failed: Error: not yet"],
  ]);
  const broker = { ...brokerOf(), outage: { stop: fail, start: ignored } };
  const away = await resultsOf({ name: "stays", ...broker, skip: { ttl: "is slow" } });
  assert.deepEqual(away.failures.map(({ rule, seen }) => [rule, seen]), [
    ["away", "outage.stop() failed: Error: not yet"],
  ]);
});

test("a rule of backplanes that is skipped has its reason, and must exist", async () => {
  const log: string[] = [];
  const runs: Promise<void>[] = [];
  testBackplane({
    ...{ name: "memory", ...brokerOf(), skip: { ttl: "keys live for ever" } },
    test: (name, run) => {
      assert.equal(run.length, 0, "Bun waits for a callback of a test with a parameter");
      if (name.startsWith("memory: ttl:")) {
        runs.push(run({ skip: (reason?: string) => void log.push(String(reason)) }), run());
      }
    },
  });
  await Promise.all(runs);
  assert.deepEqual(log, ["keys live for ever"]);
  assert.throws(
    () => backplaneTests({ name: "memory", ...brokerOf(), skip: { tll: "" } }),
    /^TypeError: skip: there is no rule "tll": the rules are open, close, /,
  );
});
