import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../../bench/bars.ts";
import type { Bar } from "../../bench/scenario.ts";
import {
  barLines,
  boundText,
  measuredText,
  number,
  scenarioTable,
  table,
  verdict,
} from "../../bench/tables.ts";
import { barOf, resultOf, scenarioOf } from "./bench-support.ts";

test("a number has three digits, or four where it is large, with its thousands set apart", () => {
  const texts: readonly (readonly [number, string])[] = [
    [0, "0"],
    [0.064_34, "0.0643"],
    [9.999, "10"],
    [123.4, "123"],
    [1_234, "1 234"],
    [98_765, "98 770"],
    [1_234_567, "1 235 000"],
  ];
  for (const [value, text] of texts) assert.equal(number(value), text);
});

test("the first column of a table holds names, the others numbers", () => {
  assert.equal(table(["a", "b"], [["x", "1"]]), "| a | b |\n| --- | ---: |\n| x | 1 |");
});

test("a scenario's table has a column for what was measured, and none for what was not", () => {
  const result = resultOf({
    "weir-node": { cost: 1.5, rate: 2_000, load: 0.98, generator: 0.5 },
    "ws-node": { cost: 3 },
  });
  assert.deepEqual(scenarioTable(scenarioOf("fanout"), result).split("\n"), [
    "| contender | µs CPU a delivery | spread | a second | server's core | load's core |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    "| weir-node | 1.5 | 1.5–1.5 | 2 000 | 98 % | 50 % |",
    "| ws-node | 3 | 3–3 |  |  |  |",
  ]);
});

test("with a floor a table has a column for it, by variant", () => {
  const variants = [10, 100].flatMap((members) => [
    { name: `floor-${members}`, runtime: undefined, variant: { members } },
    { name: `weir-node-${members}`, runtime: "node" as const, variant: { members } },
  ]);
  const result = resultOf({
    "floor-10": { cost: 2 },
    "weir-node-10": { cost: 3 },
    "weir-node-100": { cost: 3 },
  });
  assert.deepEqual(
    scenarioTable(scenarioOf("rooms", { contenders: variants }), result).split("\n"),
    [
      "| contender | µs CPU a delivery | spread | times the floor |",
      "| --- | ---: | ---: | ---: |",
      "| floor-10 | 2 | 2–2 | 1.00 |",
      "| weir-node-10 | 3 | 3–3 | 1.50 |",
      "| weir-node-100 | 3 | 3–3 |  |",
    ],
  );
});

test("a bound and what was measured of it are told in the same words", () => {
  const { contenders } = resultOf({
    "weir-node": { cost: 2, rate: 70_000, share: 0.55 },
    "ws-node": { cost: 10, rate: 35_000 },
  });
  const texts = (
    bar: Bar,
  ) => [boundText(bar, scenarioOf("fanout")), measuredText(judge(bar, contenders))];
  assert.deepEqual(texts(barOf("efficiency", 10, "ws-node")), ["≥ 10 × ws-node", "5.00 ×"]);
  assert.deepEqual(texts(barOf("growth", 1.3, "ws-node")), ["≤ 1.3 × ws-node", "0.20 ×"]);
  const beside = { of: "floor-large", against: "floor-small" };
  assert.equal(
    boundText({ ...barOf("growth", 1.15, "ws-node"), beside }, scenarioOf("rooms")),
    "÷ ws-node ≤ 1.15 × (floor-large ÷ floor-small)",
  );
  assert.deepEqual(texts(barOf("rate", 1.6, "ws-node")), ["≥ 1.6 × ws-node's rate", "2.00 ×"]);
  assert.deepEqual(texts(barOf("rate", 60_000)), ["≥ 60 000/s", "70 000/s"]);
  assert.deepEqual(texts(barOf("cost", 5)), ["≤ 5 µs CPU a delivery", "2"]);
  assert.deepEqual(texts(barOf("share", 0.6)), ["≤ 60 % on one worker", "55 %"]);
  assert.deepEqual(texts(barOf("cost", 5, "ws-deno"))[1], "not measured");
});

test("a bar that is not reached says so, unless the machine has too few cores for it", () => {
  const bar = { ...barOf("rate", 1.6), cores: 4 };
  assert.equal(verdict({ bar, value: 1, reached: false }, 2), "needs 4 cores");
  assert.equal(verdict({ bar, value: 1, reached: false }, 4), "**not reached**");
  assert.equal(verdict({ bar, value: 2, reached: true }, 4), "reached");
  assert.equal(verdict({ bar, value: undefined, reached: false }, 4), "");
});

test("a line for each bar that was measured", () => {
  const bars = [barOf("efficiency", 10, "ws-node"), barOf("efficiency", 1, "ws-deno")];
  const result = resultOf({ "weir-node": { cost: 2 }, "ws-node": { cost: 10 } });
  const lines = barLines(scenarioOf("fanout", { bars }), result);
  assert.equal(lines, "- weir-node ≥ 10 × ws-node: 5.00 ×, **not reached**");
});
