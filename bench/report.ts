/**
 * `deno run -A bench/report.ts` writes docs/performance.md, its charts and the figures of the README
 * from docs/performance/results.json, bench/performance.md and bench/reasons.json. With `--check` it
 * writes nothing and fails where a file is stale.
 */
import { formatted } from "../docs/formatted.ts";
import { withHeadlines } from "./headlines.ts";
import { pageOf } from "./page.ts";
import { readResults } from "./results.ts";
import { scenarios } from "./scenarios.ts";

/** Writes a file, or compares it; returns whether it is up to date. */
async function keep(path: string, text: string, check: boolean): Promise<boolean> {
  const file = new URL(`../${path}`, import.meta.url);
  if (!check) await Deno.writeTextFile(file, text);
  else if (await Deno.readTextFile(file).catch(() => "") !== text) {
    console.error(`${path} is stale: run \`deno run -A bench/report.ts\``);
    return false;
  }
  return true;
}

if (import.meta.main) {
  const read = (path: string) => Deno.readTextFile(new URL(path, import.meta.url));
  const results = await readResults();
  const { page, charts } = pageOf(
    await read("performance.md"),
    scenarios,
    results,
    JSON.parse(await read("reasons.json")),
  );
  const check = Deno.args.includes("--check");
  const files = [
    ...charts.map(({ file, svg }) => [`docs/performance/${file}`, svg]),
    ["docs/performance.md", await formatted(page, "md")],
    [
      "README.md",
      await formatted(withHeadlines(await read("../README.md"), scenarios, results), "md"),
    ],
  ];
  const kept = [];
  for (const [path, text] of files) kept.push(await keep(path, text, check));
  if (kept.includes(false)) Deno.exit(1);
}
