/** The contract suite finds every broken rule, and says which one it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorRuleError, connectorTests, testConnector } from "../../src/testing/mod.ts";
import broken from "../fixtures/connectors/broken.ts";
import { serviceAt } from "../fixtures/connectors/bus.ts";
import { tests } from "../fixtures/connectors/own-tests.ts";

type Options = Parameters<typeof connectorTests>[0];

const good = new URL("../fixtures/connectors/bus.ts", import.meta.url);
const bad = new URL("../fixtures/connectors/broken.ts", import.meta.url);

/** The rules that start processes. */
const PROCESSES = ["create", "end", "probe"];
const FAST = Object.fromEntries(PROCESSES.map((rule) => [rule, "is slow"]));

function optionsOf(type: string, parts: Partial<Options> = {}): Options {
  // Each has a service of its own, since they run at the same time.
  const url = `bus:${type}`;
  const service = serviceAt(url);
  const block = (url: string) =>
    `connector "c" {\n type = "${type}"\n url = "${url}"\n retries = 3\n}`;
  return {
    module: type === "bus" ? good : bad,
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

// The connector that keeps all rules.
testConnector({ ...optionsOf("bus"), test });

test("every rule has a connector that breaks it", () => {
  const rules = connectorTests(optionsOf("bus")).map(({ rule }) => rule);
  const covered = new Set(Object.keys(broken).map(ruleOf));
  assert.deepEqual([...rules].filter((rule) => !covered.has(rule)), ["complete"]);
  assert.deepEqual([...covered].filter((rule) => !rules.includes(rule)), []);
});

test("a module that registers its own tests is refused in the process of a rule", async () => {
  // Each process would start others.
  const create = tests.find(({ rule }) => rule === "create");
  await assert.rejects(async () => await create?.run(), (error: Error) => {
    assert.match(
      error.message,
      /own-tests\.ts registers its own tests: move them into another file/,
    );
    return true;
  });
});

type Results = Awaited<ReturnType<typeof resultsOf>>;

/** The results of all that start no processes. They run together, since most of the time they wait. */
let together: ReadonlyMap<string, Promise<Results>> | undefined;

function resultsFor(name: string): Promise<Results> {
  together ??= new Map(
    Object.keys(broken).filter((name) => !PROCESSES.includes(ruleOf(name))).map((name) =>
      [name, resultsOf(optionsOf(name, { skip: FAST }))] as const
    ),
  );
  return together.get(name) ?? resultsOf(optionsOf(name, { patience: 1_500 }));
}

function ruleOf(name: string): string {
  return name.replace(/_b$/, "");
}

for (const name of Object.keys(broken)) {
  const rule = ruleOf(name);
  test(`the suite says that ${name} breaks the rule "${rule}" alone`, async () => {
    const { failures, skipped } = await resultsFor(name);
    assert.deepEqual(failures.map((failure) => failure.rule), [rule], failures.join("\n"));
    const [{ message, seen }] = failures;
    assert.ok(message.startsWith(seen));
    assert.match(
      message,
      new RegExp(`\\n  rule:  ${rule}: .*\\n  page:  docs/write-a-connector.md#`),
    );
    for (const [other, reason] of skipped) {
      if (reason !== "is slow") assert.equal(reason, `the rule "${rule}" is broken`, other);
    }
  });
}

test("a side of the type that the suite is not told how to reach is reported", async () => {
  for (const side of ["source", "destination"]) {
    const { failures } = await resultsOf(optionsOf("bus", { [side]: undefined, skip: FAST }));
    assert.deepEqual(
      failures.map(({ rule, seen }) => [rule, seen]),
      [["complete", `the type is a ${side}, and the suite got no \`${side}\``]],
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
