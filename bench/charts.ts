/** Charts as SVG, generated from results: bars for costs, lines for how a cost grows. */
import { isFloor } from "./floor.ts";
import type { ScenarioResult } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { number } from "./tables.ts";

const width = 760;

// Colours that can be told apart on a light and on a dark background. A chart has its own background,
// since that of the page may not be the one that the reader's system prefers.
const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.quiet { fill: #59636e }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.rule { stroke: #818b98; stroke-opacity: .35 }
.spread { stroke: #1f2328; stroke-opacity: .6; stroke-width: 1.5; fill: none }
.weir { fill: #2f81f7 }
.other { fill: #8b949e }
.node { stroke: #3fa45b; fill: #3fa45b }
.deno { stroke: #2f81f7; fill: #2f81f7 }
.bun { stroke: #d9822b; fill: #d9822b }
.floor { stroke: #8b949e; fill: #8b949e }
polyline { fill: none !important; stroke-width: 2 }
path { stroke-opacity: .5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .ground { fill: #0d1117; stroke: #3d444d }
  .spread { stroke: #f0f6fc; stroke-opacity: .8 }
}
</style>`;

/** A bar for the cost of each contender, the cheapest first, with its spread as a line. */
export function barChart(scenario: Scenario, { contenders }: ScenarioResult): string {
  const rows = Object.entries(contenders).sort(([, a], [, b]) => a.cost.median - b.cost.median);
  const most = Math.max(...rows.map(([, { cost }]) => cost.max));
  const [left, right, top, step] = [130, 70, 64, 24];
  const x = (value: number) => left + value / most * (width - left - right);
  const bars = rows.map(([name, { cost }], index) => {
    const y = top + index * step;
    const middle = y + step / 2 - 2;
    return [
      text(left - 8, middle + 4, name, { anchor: "end" }),
      `<rect class="${name.startsWith("weir") ? "weir" : "other"}" x="${left}" y="${y}" ` +
      `width="${round(x(cost.median) - left)}" height="${step - 6}" rx="2"/>`,
      `<path class="spread" d="M${round(x(cost.min))} ${middle - 3}v6m0 -3H${
        round(x(cost.max))
      }m0 -3v6"/>`,
      text(x(cost.max) + 8, middle + 4, number(cost.median)),
    ].join("\n");
  });
  return svg(scenario, top + rows.length * step + 10, bars);
}

/** A line for Weir on each runtime and for the floor, over the contenders' variant. */
export function lineChart(scenario: Scenario, { contenders }: ScenarioResult): string {
  const points = scenario.contenders.flatMap(({ name, runtime, variant = {} }) => {
    const [[axis, at] = ["", 0]] = Object.entries(variant);
    const cost = contenders[name]?.cost;
    const shown = cost !== undefined && (name.startsWith("weir") || isFloor(name));
    return shown ? [{ runtime: runtime ?? "floor", axis, at, cost }] : [];
  });
  const [left, right, top, height] = [64, 100, 70, 220];
  const values = [...new Set(points.map(({ at }) => at))].sort((a, b) => a - b);
  const x = logScale(values[0], values.at(-1)!, left, width - right);
  const ticks = ticksOf(
    Math.min(...points.map(({ cost }) => cost.min)),
    Math.max(...points.map(({ cost }) => cost.max)),
  );
  const y = ticks.scale(top + height, top);
  const grid = ticks.values.map((value) =>
    line(left, y(value), width - right, y(value)) + "\n" +
    text(left - 8, y(value) + 4, number(value), { anchor: "end", kind: "quiet" })
  );
  const names = values.map((value) =>
    text(x(value), top + height + 20, axisText(points[0].axis, value), {
      anchor: "middle",
      kind: "quiet",
    })
  );
  const lines = [...Map.groupBy(points, ({ runtime }) => runtime)].map(([runtime, own]) => {
    const path = own.map(({ at, cost }) => `${round(x(at))},${round(y(cost.median))}`);
    const spreads = own.map(({ at, cost }) =>
      `<path class="${runtime}" d="M${round(x(at))} ${round(y(cost.min))}V${round(y(cost.max))}"/>`
    );
    const dots = path.map((point) => {
      const [cx, cy] = point.split(",");
      return `<circle class="${runtime}" cx="${cx}" cy="${cy}" r="3"/>`;
    });
    return [`<polyline class="${runtime}" points="${path.join(" ")}"/>`, ...spreads, ...dots].join(
      "\n",
    );
  });
  const legend = [...new Set(points.map(({ runtime }) => runtime))].map((runtime, index) =>
    `<circle class="${runtime}" cx="${width - right + 30}" cy="${top + 8 + index * 20}" r="4"/>\n` +
    text(width - right + 40, top + 12 + index * 20, runtime)
  );
  const axis = text((left + width - right) / 2, top + height + 42, points[0]?.axis ?? "", {
    anchor: "middle",
    kind: "quiet",
  });
  return svg(scenario, top + height + 58, [...grid, ...names, axis, ...lines, ...legend]);
}

type Scale = (value: number) => number;

function logScale(least: number, most: number, from: number, to: number): Scale {
  return (value) => from + Math.log(value / least) / Math.log(most / least) * (to - from);
}

/** Round values from 0, or powers of ten where costs differ by more than a factor of 20. */
function ticksOf(least: number, most: number): {
  readonly values: readonly number[];
  readonly scale: (from: number, to: number) => Scale;
} {
  if (most / least > 20) {
    const first = Math.floor(Math.log10(least));
    const last = Math.ceil(Math.log10(most));
    const values = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
    return { values, scale: (from, to) => logScale(values[0], values.at(-1)!, from, to) };
  }
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each * 5 >= most)!;
  const count = Math.ceil(most / step);
  const values = Array.from({ length: count + 1 }, (_, index) => index * step);
  return { values, scale: (from, to) => (value) => from + value / (count * step) * (to - from) };
}

/** A value of an axis; a size has a unit. */
function axisText(axis: string, value: number): string {
  if (axis !== "message size") return number(value);
  return value < 1_024 ? `${value} B` : `${value / 1_024} KB`;
}

function svg({ title, unit }: Scenario, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    style,
    `<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    text(16, 26, title, { kind: "title" }),
    text(16, 45, `${unit}, less is better; a thin line is the spread of the rounds`, {
      kind: "quiet",
    }),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(
  x: number,
  y: number,
  content: string,
  { anchor, kind }: { readonly anchor?: string; readonly kind?: string } = {},
): string {
  const attributes = (anchor ? ` text-anchor="${anchor}"` : "") + (kind ? ` class="${kind}"` : "");
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escaped(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="rule" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${
    round(y2)
  }"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
