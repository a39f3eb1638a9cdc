import assert from "node:assert/strict";
import { test } from "node:test";
import { withHeadlines } from "../../bench/headlines.ts";
import { pageOf } from "../../bench/page.ts";
import { barOf, resultOf, scenarioOf } from "./bench-support.ts";

const fanout = scenarioOf("fanout-16", {
  contenders: [{ name: "ws-node", runtime: "node" }, { name: "weir-node", runtime: "node" }],
  bars: [barOf("efficiency", 10, "ws-node"), { ...barOf("rate", 1.6, "ws-node"), cores: 4 }],
});
const rooms = scenarioOf("rooms", {
  contenders: [10, 100, 1_000].map((members) => ({
    name: `weir-node-${members}`,
    runtime: "node",
    variant: { members },
  })),
});
const results = {
  "fanout-16": resultOf({
    "ws-node": { cost: 9, rate: 100, load: 0.98, generator: 0.4 },
    "weir-node": { cost: 1, rate: 110, load: 0.7, generator: 0.8 },
  }),
  rooms: resultOf({
    "weir-node-10": { cost: 1.2 },
    "weir-node-100": { cost: 1.1 },
    "weir-node-1000": { cost: 1 },
  }),
};

/** What stands in one place of the page. */
function place(
  name: string,
  reasons: Record<string, string> = {},
  found: object = results,
): string {
  return pageOf(`<!-- ${name} -->`, [fanout, rooms], { ...found }, reasons).page;
}

test("places are filled, and what is no place stays", () => {
  const { page } = pageOf("# A\n\n<!-- growth -->\n\n<!-- a word -->\n", [rooms], results, {});
  assert.match(
    page,
    /^# A\n\n### Members of one room\n\n!\[About rooms: .*\]\(performance\/rooms\.svg\)/,
  );
  assert.match(page, /<!-- a word -->\n$/);
});

test("the machine is told once where all scenarios ran on one", () => {
  assert.equal(
    place("environment"),
    "a machine, 2 cores, linux 6; node 24.0.0; commit abcdef0; 2026-01-31, 1 rounds; " +
      "servers on core 0, load on core 1.",
  );
  const other = { ...results, rooms: { ...results.rooms, date: "2026-02-01" } };
  assert.match(place("environment", {}, other), /^`fanout-16`: .*\n\n`rooms`: .*$/);
});

test("where the load's core was the busier one, the row is named", () => {
  assert.match(place("bottleneck"), /in 1 of 2 rows.*`fanout-16` weir-node \(70 %, 80 %\)\.$/);
  assert.match(place("bottleneck", {}, { rooms: results.rooms }), /in all 0 rows/);
});

test("a bar that is not reached stands there with its reason, the nearest there is", () => {
  assert.match(
    place("bars"),
    /\| weir-node \| ≥ 10 × ws-node \| 9\.00 × \| \*\*not reached\*\* \|/,
  );
  assert.match(place("bars"), /\| ≥ 1\.6 × ws-node's rate \| 1\.10 × \| needs 4 cores \|/);
  const of = (...keys: string[]) =>
    place("reasons", Object.fromEntries(keys.map((key) => [key, `${key}!`])));
  const line = "- `fanout-16`, weir-node, ≥ 10 × ws-node: ";
  assert.equal(of(), `${line}the reason is not known yet.`);
  assert.equal(of("fanout-16", "rooms"), `${line}fanout-16!`);
  assert.equal(of("fanout-16", "fanout-16/weir-node"), `${line}fanout-16/weir-node!`);
  const longest = "fanout-16/weir-node/ws-node";
  assert.equal(of("fanout-16/weir-node", longest), `${line}${longest}!`);
});

test("what was not measured is in the table of bars alone", () => {
  assert.match(place("bars", {}, {}), /\| not measured \|/);
  for (const name of ["scenarios", "growth", "reasons"]) assert.equal(place(name, {}, {}), "");
});

test("charts name every contender and hold numbers alone", () => {
  const { charts } = pageOf("", [fanout, rooms], results, {});
  assert.deepEqual(charts.map(({ file }) => file), ["fanout-16.svg", "rooms.svg"]);
  for (const { svg } of charts) assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  assert.match(charts[0].svg, />weir-node<[^]*>ws-node</);
  assert.match(charts[1].svg, />members</);
});

test("the README shows times the floor, and without a floor the lowest ratio", () => {
  const contenders = [
    { name: "floor", runtime: undefined },
    { name: "weir-node", runtime: "node" as const },
  ];
  const scenarios = [scenarioOf("fanout-16", { contenders }), { ...fanout, name: "connect" }];
  const readme = withHeadlines("a\n<!-- figures -->old<!-- /figures -->\nb", scenarios, {
    "fanout-16": resultOf({ floor: { cost: 0.5 }, "weir-node": { cost: 0.6 } }),
    connect: results["fanout-16"],
  });
  assert.match(readme, /^a\n<!-- figures -->\n/);
  assert.match(readme, /16 messages outstanding: µs \| 0\.6 \(1\.2 × floor\) \|/);
  assert.match(readme, /a connection opened: µs \| 1 \(9\.00 × ws-node\) \|/);
  assert.doesNotMatch(readme, /old/);
});
