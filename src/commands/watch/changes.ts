/** Watches the files of a configuration. */
import { setTimeout } from "node:timers/promises";
import type { SourceFile } from "../../hcl/tree.ts";

/** Files, or the reason why there are none. */
export type Reading = readonly SourceFile[] | Error;

/** How files are watched. */
export interface ChangesOptions {
  /** Reads the current files of the configuration. */
  readonly read: () => Promise<Reading>;
  /** The texts of the files that the configuration has read with `file("path")`, by path. */
  readonly included: ReadonlyMap<string, string | undefined>;
  /** Reads the current text of such a file; undefined if there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
  /** Stops watching. */
  readonly signal: AbortSignal;
  /** The interval between two checks, in milliseconds; 500 by default. */
  readonly every?: number;
  /** How long files must stay unchanged, since editors write in steps; in milliseconds, 50 by default. */
  readonly settle?: number;
}

/**
 * Yields the files at once, and again when one was changed, added or removed. It polls, which works
 * the same on every system and every file system.
 */
export async function* changes(
  { read, included, readFile, signal, every = 500, settle = 50 }: ChangesOptions,
): AsyncGenerator<Reading, void> {
  let reading = await read();
  while (!signal.aborted) {
    yield reading;
    // While the reading was used, `included` was filled.
    const known = fingerprint(reading, included);
    let latest = known;
    while (latest === known) {
      if (await ends(every, signal)) return;
      ({ reading, latest } = await look());
    }
    let before: string | undefined;
    while (latest !== before) {
      before = latest;
      if (await ends(settle, signal)) return;
      ({ reading, latest } = await look());
    }
  }

  async function look(): Promise<{ readonly reading: Reading; readonly latest: string }> {
    const found = await read();
    const texts = [...included.keys()].map(async (path) => [path, await readFile(path)] as const);
    return { reading: found, latest: fingerprint(found, await Promise.all(texts)) };
  }
}

/** Equal if all texts are. */
function fingerprint(
  reading: Reading,
  included: Iterable<readonly [path: string, text: string | undefined]>,
): string {
  const own = reading instanceof Error ? reading.message : reading;
  return JSON.stringify([own, [...included].map(([path, text]) => [path, text ?? null])]);
}

/** Waits. Returns whether the signal was aborted. */
async function ends(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  await setTimeout(milliseconds, undefined, { signal }).catch((error) => {
    if (!signal.aborted) throw error;
  });
  return signal.aborted;
}
