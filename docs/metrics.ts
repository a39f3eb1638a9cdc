/**
 * Writes the tables of docs/metrics.md from the definitions of the metrics. With `--check` it writes
 * nothing and fails if a table is stale.
 */
import { definitions } from "../src/metrics/mod.ts";
import type { Definition } from "../src/metrics/definition.ts";
import { formatted, keepFile } from "./formatted.ts";

const PAGE = new URL("./metrics.md", import.meta.url);
/** `<!-- metrics weir_flow weir_step -->`: those whose names begin so. */
const PLACE = /^<!-- metrics ([\w ]+) -->\n[^]*?^<!-- \/metrics -->$/gm;

function row({ name, type, labels, help }: Definition): string {
  const unit = /_(seconds|bytes)(?:_|$)/.exec(name)?.[1] ?? "";
  const shown = labels.map((label) => `\`${label}\``).join(", ");
  return `| \`${name}\` | ${type} | ${shown} | ${unit} | ${help} |`;
}

const shown = new Set<Definition>();
const page = await Deno.readTextFile(PAGE);
const filled = page.replaceAll(PLACE, (_, prefixes: string) => {
  const found = definitions.filter(({ name }) =>
    prefixes.split(" ").some((prefix) => name.startsWith(`${prefix}_`))
  );
  for (const definition of found) shown.add(definition);
  const head = "| metric | type | labels | unit | meaning |\n| --- | --- | --- | --- | --- |";
  const table = [head, ...found.map(row)].join("\n");
  return `<!-- metrics ${prefixes} -->\n\n${table}\n\n<!-- /metrics -->`;
});
const missing = definitions.filter((definition) => !shown.has(definition)).map(({ name }) => name);
if (missing.length > 0) throw new Error(`docs/metrics.md has no place for ${missing.join(", ")}`);
await keepFile(PAGE, await formatted(filled, "md"), "docs/metrics.md");
