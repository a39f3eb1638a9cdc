/**
 * `deno task bench:clients`: measures Weir's client library, Socket.IO's and centrifuge-js, and saves
 * the results. Words that follow choose cases, and a word such as `weir` a library; then only `--save`
 * saves the results, and keeps those of the other cases.
 */
import { toolchain } from "../../tests/support/toolchain.ts";
import { environment } from "../environment.ts";
import { type CaseName, cases } from "./cases/mod.ts";
import { libraries, type Library, type OfEach } from "./libraries/mod.ts";
import { readResults, type Results, saveResults } from "./results.ts";
import { measureSizes, versionsOf } from "./sizes.ts";
import { World } from "./world.ts";

type Findings = Record<CaseName, Partial<OfEach<unknown>>>;

/** Measures the chosen cases, those that wait beside each other. */
async function measure(names: readonly CaseName[], chosen: readonly Library[]): Promise<Findings> {
  const findings = Object.fromEntries(names.map((name) => [name, {}])) as Findings;
  const one = async (name: CaseName, library: Library) => {
    const runs: Partial<OfEach<(world: World) => Promise<unknown>>> = cases[name].runs;
    const run = runs[library];
    if (run === undefined) return;
    const found = await World.with(library, run);
    console.log(`${name}, ${library}: ${JSON.stringify(found)}`);
    findings[name] = { ...findings[name], [library]: found };
  };
  const pairs = names.flatMap((name) => chosen.map((library) => [name, library] as const));
  const waiting = pairs.filter(([name]) => cases[name].waits);
  await Promise.all(waiting.map((pair) => one(...pair)));
  for (const pair of pairs.filter(([name]) => !cases[name].waits)) await one(...pair);
  return findings;
}

/** Those of the words that are names; all names where none is. */
function choose<T extends string>(names: readonly T[], words: readonly string[]): readonly T[] {
  const chosen = names.filter((name) => words.includes(name));
  return chosen.length === 0 ? names : chosen;
}

/** Runs what the words choose. */
async function main(args: readonly string[]): Promise<void> {
  const words = args.filter((word) => word !== "--save");
  const names = Object.keys(cases) as CaseName[];
  const known: readonly string[] = [...names, ...libraries];
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    throw new TypeError(`"${unknown}" is not a case or a library: ${known.join(" ")}`);
  }
  if (args.includes("--save") && libraries.some((library) => words.includes(library))) {
    throw new TypeError("--save needs all libraries: name cases only");
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void World.endAll().finally(() => Deno.exit(130)));
  }
  const versions = await versionsOf();
  const { machine, system, versions: tools, commit } = await environment(await toolchain());
  const findings = await measure(choose(names, words), choose(libraries, words));
  if (words.length > 0 && !args.includes("--save")) return;
  const others = words.length > 0 ? (await readResults()).cases : {};
  await saveResults({
    date: new Date().toISOString().slice(0, 10),
    environment: { machine, system, node: tools.node, commit, load: Deno.loadavg()[2] },
    versions,
    sizes: await measureSizes(),
    cases: { ...others, ...findings } as unknown as Results["cases"],
  });
}

if (import.meta.main) {
  try {
    await main(Deno.args);
    Deno.exit(0);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    Deno.exit(error instanceof TypeError ? 2 : 1);
  }
}
