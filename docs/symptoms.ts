/**
 * Writes the tables of docs/symptoms.md from what the tests of symptoms compare with. With `--check` it
 * writes nothing and fails if a table is stale.
 */
import { formatted, keepFile } from "./formatted.ts";
import { brokers, databases, flows, processes } from "./monitoring/faults.ts";
import type { Faults, Line, Moves, Symptoms } from "./monitoring/symptom.ts";

const PAGE = new URL("./symptoms.md", import.meta.url);
/** `<!-- symptoms brokers -->`: those of a group. */
const PLACE = /^<!-- symptoms (\w+) -->\n[^]*?^<!-- \/symptoms -->$/gm;

const groups: Readonly<Record<string, Faults>> = { brokers, databases, flows, processes };

const HEAD = "| what happens | metrics | log | live, ready, serving | alert |\n" +
  "| --- | --- | --- | --- | --- |";

function rows(name: string, { metrics, log, health, alert, over }: Symptoms): readonly string[] {
  const link = alert === undefined ? "" : `[${alert}](monitoring.md#${alert.toLowerCase()})`;
  return [
    row([name, moves(metrics), line(log), health.join(", "), link]),
    ...(over
      ? [row(["… and is over", moves(over.metrics), line(over.log), "200, 200, 200", ""])]
      : []),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function moves(metrics: Moves): string {
  return Object.entries(metrics).map(([series, move]) => {
    const [name, bound] = series.split(" above ");
    const above = bound === undefined ? "" : ` above ${bound}`;
    return `\`${name}\`${above} ${move === "grows" ? move : `is ${move}`}`;
  }).join("; ");
}

function line(log: Line | undefined): string {
  return log === undefined ? "nothing" : `${log[0]}: \`${log[1]}\``;
}

const page = await Deno.readTextFile(PAGE);
const shown = new Set<string>();
const filled = page.replaceAll(PLACE, (_, group: string) => {
  shown.add(group);
  const table = Object.entries(groups[group]).flatMap(([name, one]) => rows(name, one));
  return `<!-- symptoms ${group} -->\n\n${[HEAD, ...table].join("\n")}\n\n<!-- /symptoms -->`;
});
const missing = Object.keys(groups).filter((group) => !shown.has(group));
if (missing.length > 0) throw new Error(`docs/symptoms.md has no place for ${missing.join(", ")}`);
await keepFile(PAGE, await formatted(filled, "md"), "docs/symptoms.md");
