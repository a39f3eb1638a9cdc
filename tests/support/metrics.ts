/** Reads metrics as Prometheus does. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Runtime } from "../../src/runtime/mod.ts";

/** Values of labels. */
export type Labels = Readonly<Record<string, string>>;

/** The metrics of one moment. */
export class Scrape {
  readonly text: string;
  /** Values by series, such as `weir_flow_retries_total{flow="a"}`. */
  readonly series: ReadonlyMap<string, number>;
  /** The names that have a `# TYPE`. */
  readonly names: readonly string[];

  constructor(text: string) {
    this.text = text;
    const lines = text.split("\n");
    const series = lines.filter((line) => line !== "" && !line.startsWith("#"));
    this.series = new Map(series.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }));
    this.names = lines.filter((line) => line.startsWith("# TYPE ")).map((line) =>
      line.split(" ")[2]
    );
  }

  /** The sum of all series of this name that have these labels; 0 without any. */
  value(name: string, labels: Labels = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let sum = 0;
    for (const [series, value] of this.series) {
      const [own, rest = ""] = series.split("{");
      const has = rest.slice(0, -1).split(",");
      if (own === name && wanted.every((label) => has.includes(label))) sum += value;
    }
    return sum;
  }
}

/** The metrics of a runtime now. */
export async function scrape(runtime: Pick<Runtime, "metrics">): Promise<Scrape> {
  return new Scrape(await runtime.metrics());
}

/** Waits until these series have these values; they are named as `Scrape.series` names them. */
export async function untilMetrics(
  runtime: Pick<Runtime, "metrics">,
  expected: Readonly<Record<string, number | ((value: number) => boolean)>>,
): Promise<Scrape> {
  let last = await scrape(runtime);
  const wrong = (): string[] =>
    Object.entries(expected).flatMap(([series, wanted]) => {
      const value = last.series.get(series);
      const isRight = typeof wanted === "number" ? value === wanted : wanted(value ?? NaN);
      return isRight ? [] : [`${series} is ${value}`];
    });
  for (const began = performance.now(); wrong().length > 0;) {
    if (performance.now() - began > 15_000) assert.fail(wrong().join("\n"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    last = await scrape(runtime);
  }
  return last;
}

/** What `promtool check metrics` says of a text; empty if all is well. */
export async function promtool(text: string): Promise<string> {
  const child = spawn("/usr/bin/promtool", ["check", "metrics"]);
  let said = "";
  child.stdout.on("data", (chunk) => said += chunk);
  child.stderr.on("data", (chunk) => said += chunk);
  child.stdin.end(text);
  const [code] = await once(child, "close");
  return code === 0 ? said : `${said}exit code ${code}`;
}
