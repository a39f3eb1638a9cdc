import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions, usageOf } from "../../bench/options.ts";
import { scenarioOf } from "./bench-support.ts";

const scenarios = [
  scenarioOf("fanout", {
    contenders: [
      { name: "weir-node", runtime: "node" },
      { name: "weir-bun", runtime: "bun" },
      { name: "mosquitto", runtime: undefined },
    ],
  }),
  scenarioOf("sqlite", { contenders: [{ name: "weir-node", runtime: "node" }] }),
];

/** The contenders of each scenario that a command line chooses. */
function chosen(...args: string[]): Record<string, string[]> {
  const { choices } = parseOptions(args, scenarios)!;
  return Object.fromEntries(
    choices.map(({ scenario, contenders }) => [scenario.name, contenders.map(({ name }) => name)]),
  );
}

test("everything takes part, five times, where nothing is said", () => {
  const { choices: _, ...rest } = parseOptions([], scenarios)!;
  assert.deepEqual(rest, { rounds: 5, quick: false, save: false, out: undefined });
  const fanout = ["weir-node", "weir-bun", "mosquitto"];
  assert.deepEqual(chosen(), { fanout, sqlite: ["weir-node"] });
});

test("scenarios, contenders and runtimes are chosen, in the order of the report", () => {
  assert.deepEqual(Object.keys(chosen("sqlite", "fanout")), ["fanout", "sqlite"]);
  assert.deepEqual(chosen("sqlite"), { sqlite: ["weir-node"] });
  assert.deepEqual(chosen("--contenders", "mosquitto,weir-bun"), {
    fanout: ["weir-bun", "mosquitto"],
  });
  assert.deepEqual(chosen("--runtimes", "bun"), { fanout: ["weir-bun"] });
});

test("a first look has two rounds, unless it is told", () => {
  assert.equal(parseOptions(["--quick"], scenarios)!.rounds, 2);
  assert.equal(parseOptions(["--quick", "--rounds", "7"], scenarios)!.rounds, 7);
});

test("--help asks for the text that names every scenario", () => {
  assert.equal(parseOptions(["--help", "fanout"], scenarios), undefined);
  for (const { name, title } of scenarios) {
    assert.match(usageOf(scenarios), RegExp(`${name} .*${title}`));
  }
});

test("nonsense is named", () => {
  const nonsense: readonly (readonly [string[], RegExp])[] = [
    [["fan-out"], /unknown scenario "fan-out": use one of fanout, sqlite/],
    [["--contenders", "weir"], /unknown contender "weir"/],
    [["--contenders="], /unknown contender ""/],
    [["--runtimes", "php"], /unknown runtime "php": use one of deno, bun, node/],
    [["sqlite", "--runtimes", "bun"], /none of the contenders/],
    [["sqlite", "--contenders", "mosquitto"], /unknown contender "mosquitto"/],
    [["--rounds", "0"], /--rounds must be .*"0"/],
    [["--rounds", "2.5"], /--rounds must be .*"2.5"/],
    [["--rounds="], /--rounds must be .*""/],
    [["--rounds"], /--rounds/],
    [["--quick=yes"], /--quick/],
    [["--messages", "300"], /--messages/],
    [["-x"], /-x/],
  ];
  for (const [args, message] of nonsense) {
    assert.throws(
      () => parseOptions(args, scenarios),
      { name: "TypeError", message },
      args.join(" "),
    );
  }
});

test("what is kept for the report is whole", () => {
  assert.equal(parseOptions(["--save", "--rounds", "3", "sqlite"], scenarios)!.save, true);
  for (const option of [["--quick"], ["--runtimes", "bun"], ["--contenders", "weir-node"]]) {
    assert.throws(() => parseOptions(["--save", ...option], scenarios), /--save needs a whole run/);
  }
});
