/** The results of the comparison, and the file that keeps them. */
import type { CaseFindings } from "./cases/mod.ts";
import type { OfEach } from "./libraries/mod.ts";
import type { Size } from "./sizes.ts";

/** What the last run of each case has found. */
export interface Results {
  /** The day, as 2026-01-31. */
  readonly date: string;
  /** That of the last run. */
  readonly environment: {
    readonly machine: string;
    readonly system: string;
    /** The version of Node, on which servers and clients run. */
    readonly node: string;
    readonly commit: string;
    /** How many programs wanted a core on average, in the last 15 minutes. */
    readonly load: number;
  };
  /** By the names of packages. */
  readonly versions: Readonly<Record<string, string>>;
  readonly sizes: OfEach<Size>;
  readonly cases: CaseFindings;
}

const file = new URL("../../docs/performance/clients.json", import.meta.url);

/** The saved results. */
export async function readResults(): Promise<Results> {
  return JSON.parse(await Deno.readTextFile(file));
}

/** Saves results in the place of the last ones. */
export async function saveResults(results: Results): Promise<void> {
  await Deno.writeTextFile(file, `${JSON.stringify(results, null, 2)}\n`);
}
