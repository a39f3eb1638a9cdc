/** The contract suite finds every broken rule, and says which one it is. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { ConnectorRuleError, connectorTests, testConnector } from "../../src/testing/mod.ts";
import { permanent, temporary } from "../../src/testing/suite/flow.ts";
import broken from "../fixtures/connectors/broken.ts";
import { serviceAt } from "../fixtures/connectors/bus.ts";
import { tests } from "../fixtures/connectors/own-tests.ts";
import unusual, { type Answering } from "../fixtures/connectors/unusual.ts";

type Options = Parameters<typeof connectorTests>[0];

/** The rules that start processes. */
const PROCESSES = ["create", "end", "probe"];
/** The slow rules: the last one reads many configurations. */
const SLOW = [...PROCESSES, "mistakes"];
const FAST = skipped(SLOW);

function skipped(rules: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(rules.map((rule) => [rule, "is slow"]));
}

/** The module of each type. */
const modules = {
  ...Object.fromEntries(Object.keys(broken).map((type) => [type, "broken"])),
  ...Object.fromEntries(Object.keys(unusual).map((type) => [type, "unusual"])),
  bus: "bus",
} as Readonly<Record<string, string>>;

function optionsOf(type: string, parts: Partial<Options> = {}): Options {
  // Each has a service of its own, since they run at the same time.
  const url = `bus:${type}`;
  const service = serviceAt(url);
  const block = (url: string) =>
    `connector "c" {\n type = "${type}"\n url = "${url}"\n retries = 3\n}`;
  return {
    module: new URL(`../fixtures/connectors/${modules[type]}.ts`, import.meta.url),
    type,
    config: block(url),
    mistakes: type === "mistakes_b" ? [] : [block("http:1")],
    destination: { received: () => service.received, refused: { payload: "refused" } },
    source: { operation: "in", emit: (payload) => service.publish("in", payload) },
    outage: service,
    ...parts,
  };
}

/** Runs all rules; returns the errors, and what was skipped. */
async function resultsOf(options: Options) {
  const failures: ConnectorRuleError[] = [];
  const skipped = new Map<string, string>();
  for (const { rule, run } of connectorTests(options)) {
    try {
      const reason = await run();
      if (reason !== undefined) skipped.set(rule, reason);
    } catch (error) {
      assert.ok(error instanceof ConnectorRuleError);
      failures.push(error);
    }
  }
  return { failures, skipped };
}

type Results = Awaited<ReturnType<typeof resultsOf>>;

/** How long the one rule waits that is broken, in milliseconds. */
const PATIENCE = 2_500;

/** The rule that a process breaks, for those of which a process of their own has to wait for a leak. */
const LEAKS: Readonly<Record<string, string>> = { create: "create", end: "end", probe_b: "probe" };

/** The results of all. They run together, since most of the time they wait. */
let together: ReadonlyMap<string, Promise<readonly Results[]>> | undefined;

function resultsFor(type: string): Promise<readonly Results[]> {
  together ??= new Map(
    [...Object.keys(broken), ...Object.keys(unusual)].map((type) =>
      [type, Promise.all(runsOf(type).map(resultsOf))] as const
    ),
  );
  return together.get(type) ?? Promise.resolve([]);
}

function runsOf(type: string): readonly Options[] {
  const leak = LEAKS[type];
  if (leak !== undefined) {
    const others = connectorTests(optionsOf(type)).map(({ rule }) => rule)
      .filter((rule) => rule !== leak);
    const alone = { skip: skipped(others), patience: 1_500 };
    return [optionsOf(type, { skip: skipsOf(type), patience: PATIENCE }), optionsOf(type, alone)];
  }
  const parts = { skip: skipsOf(type), patience: PATIENCE };
  if (type !== "answering") return [optionsOf(type, parts)];
  const emit: NonNullable<Options["source"]>["emit"] = async (payload, connector) => {
    const answering = connector as Answering;
    serviceAt("bus:answering").publish("in", payload);
    await answering.drain();
    if (!answering.failed) return;
    answering.failed = false;
    throw new Error("the answer is an error");
  };
  return [optionsOf(type, { ...parts, source: { operation: "in", emit } })];
}

/** The slow rules that say nothing about a type, since they read or start what it has not changed. */
function skipsOf(type: string): Readonly<Record<string, string>> {
  const rule = ruleOf(type);
  const ofType = ["fields", "configuration", "mistakes", "unshared", "test-mode"];
  return skipped(
    SLOW.filter((slow) =>
      slow === "mistakes" ? !ofType.includes(rule) : slow !== rule || LEAKS[type] !== undefined
    ),
  );
}

function ruleOf(name: string): string {
  return name.replace(/_[b-e]$/, "");
}

test("every rule has a connector that breaks it", () => {
  void resultsFor("bus"); // They run beside the tests that follow.
  const rules = connectorTests(optionsOf("bus")).map(({ rule }) => rule);
  const covered = new Set(Object.keys(broken).map(ruleOf));
  assert.deepEqual([...rules].filter((rule) => !covered.has(rule)), ["complete"]);
  assert.deepEqual([...covered].filter((rule) => !rules.includes(rule)), []);
});

// The connector that keeps all rules.
testConnector({ ...optionsOf("bus"), test });

for (const name of Object.keys(broken)) {
  const rule = ruleOf(name);
  test(`the suite says that ${name} breaks the rule "${rule}" alone`, async () => {
    const results = await resultsFor(name);
    const failures = results.flatMap(({ failures }) => failures);
    assert.deepEqual(failures.map((failure) => failure.rule), [rule], failures.join("\n"));
    const [{ message, seen }] = failures;
    assert.ok(message.startsWith(seen));
    assert.match(
      message,
      new RegExp(`\\n  rule:  ${rule}: .*\\n  page:  docs/write-a-connector.md#`),
    );
    for (const { skipped } of results) {
      for (const [other, reason] of skipped) {
        if (reason !== "is slow") assert.equal(reason, `the rule "${rule}" is broken`, other);
      }
    }
  });
}

for (const name of Object.keys(unusual)) {
  test(`the suite finds no fault in the connector "${name}", which is not a usual one`, async () => {
    const [{ failures, skipped }] = await resultsFor(name);
    assert.deepEqual(failures, []);
    assert.deepEqual([...skipped.keys()].sort(), SLOW.toSorted());
  });
}

test("a module that registers its own tests is refused in the process of a rule", async () => {
  // Each process would start others.
  const create = tests.find(({ rule }) => rule === "create");
  await assert.rejects(async () => await create?.run(), (error: Error) => {
    assert.match(
      error.message,
      /own-tests\.ts must have no tests of connectors: move the tests into/,
    );
    return true;
  });
});

test("a process that a rule has started can start no other one", () => {
  // Whatever copy of the suite it has: a compiled program has no other command than itself.
  process.env.WEIR_SUITE_PROCESS = "create";
  try {
    assert.throws(
      () => connectorTests(optionsOf("bus")),
      /^TypeError: a process that checks the connector of .*bus\.ts must have no tests/,
    );
  } finally {
    delete process.env.WEIR_SUITE_PROCESS;
  }
});

test("a rule reads the end of a process whose module prints a line without an end", async () => {
  const module = new URL("../fixtures/connectors/chatty.ts", import.meta.url);
  const config = 'connector "c" {\n type = "chatty"\n}';
  const create = connectorTests({ module, type: "chatty", config })
    .find(({ rule }) => rule === "create");
  assert.equal(await create?.run(), undefined);
});

test("the module of the suite is an absolute URL", () => {
  assert.throws(
    () => connectorTests(optionsOf("bus", { module: "./bus.ts" })),
    /^TypeError: module: write new URL\("\.\/bus\.ts", import\.meta\.url\)$/,
  );
});

test("a test has no parameter, for which Bun's runner would wait", () => {
  testConnector({
    ...optionsOf("bus"),
    test: (_name, run) => assert.equal(run.length, 0),
  });
});

test("a side of the type that the suite is not told how to reach is reported", async () => {
  for (const side of ["source", "destination"]) {
    const { failures } = await resultsOf(optionsOf("bus", { [side]: undefined, skip: FAST }));
    assert.deepEqual(
      failures.map(({ rule, seen }) => [rule, seen]),
      [["complete", `the type is a ${side}, and the suite got no \`${side}\``]],
    );
  }
});

test("a failure of the author's own functions is said by one rule", async () => {
  const cases = [
    [{ source: { emit: () => Promise.reject(new Error("curl failed")) } }, "events", "emit()"],
    [
      { destination: { received: () => Promise.reject(new Error("curl failed")) } },
      "write",
      "received()",
    ],
  ] as const;
  for (const [parts, rule, call] of cases) {
    const skip = { ...FAST, ...skipped(["workers", "away", "recovery"]) };
    const { failures } = await resultsOf(optionsOf("bus", { ...parts, skip }));
    assert.deepEqual(
      failures.map(({ rule, seen }) => [rule, seen]),
      [[rule, `${call} failed: Error: curl failed`]],
    );
  }
});

test("a failure of a flow that the source does not handle says what is wrong", () => {
  // The runner shows it as an unhandled rejection.
  for (const { message } of [temporary("one"), permanent("one")]) {
    assert.match(
      message,
      /^flow "one" failed, as the rule "failures" wants: the source must handle/,
    );
  }
});

test("a rule that is skipped has its reason, and must exist", async () => {
  const { failures, skipped } = await resultsOf(optionsOf("drain", {
    skip: { ...FAST, drain: "nothing is in flight" },
  }));
  assert.deepEqual(failures, []);
  assert.equal(skipped.get("drain"), "nothing is in flight");
  assert.throws(
    () => connectorTests(optionsOf("bus", { skip: { drian: "" } })),
    /^TypeError: skip: there is no rule "drian": the rules are fields, configuration, /,
  );
});

test("a module without the type, or without a table, is reported once", async () => {
  const cases = [
    [{ type: "bsu" }, /^the module .*bus\.ts has no connector type "bsu": it has bus$/],
    [
      { module: "data:text/javascript,export default 1" },
      /has no default export that is a table of connectors$/,
    ],
    [{ module: "data:text/javascript,throw new Error('oh')" }, /^Error: oh$/],
  ] as const;
  for (const [parts, seen] of cases) {
    const { failures } = await resultsOf({ ...optionsOf("bus"), ...parts });
    assert.deepEqual(failures.map(({ rule }) => rule), ["fields"]);
    assert.match(failures[0].seen, seen);
  }
});

test("a configuration without a connector of the type is reported once", async () => {
  const { failures } = await resultsOf(optionsOf("bus", { config: "", mistakes: [] }));
  assert.deepEqual(
    failures.map(({ rule, seen }) => [rule, seen]),
    [["configuration", 'the configuration has no connector of type "bus"']],
  );
});

test("a rule that was not checked is skipped where the runner can", async () => {
  const log: string[] = [];
  const runs: Promise<void>[] = [];
  const skip = (reason?: string) => void log.push(String(reason));
  testConnector({
    ...optionsOf("bus", { skip: FAST, outage: undefined }),
    test: (name, run) => {
      if (name.startsWith("bus: end:")) runs.push(run({ skip }), run(undefined));
    },
  });
  await Promise.all(runs);
  assert.deepEqual(log, ["is slow"]);
});
