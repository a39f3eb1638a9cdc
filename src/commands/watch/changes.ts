/** Notices when the files of a configuration change. */
import { setTimeout } from "node:timers/promises";
import type { SourceFile } from "../../hcl/tree.ts";

/** What is found when one looks: files, or why there are none. */
export type Reading = readonly SourceFile[] | Error;

/** How files are watched. */
export interface ChangesOptions {
  /** Reads the configuration's files as they are now. */
  readonly read: () => Promise<Reading>;
  /** Files that the configuration has taken in with `file("path")`, by path, as it found them. */
  readonly included: ReadonlyMap<string, string | undefined>;
  /** Reads one of these as it is now; undefined where there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Milliseconds from one look to the next; 500 by default. */
  readonly every?: number;
  /** Milliseconds for which files must stay as they are, since editors write in steps; 50 by default. */
  readonly settle?: number;
}

/**
 * Yields the files at once, and again whenever their text has changed, one was added or one is gone.
 * It looks again and again, which works alike on every system and every kind of disk.
 */
export async function* changes(
  { read, included, readFile, signal, every = 500, settle = 50 }: ChangesOptions,
): AsyncGenerator<Reading, void> {
  let reading = await read();
  while (!signal.aborted) {
    yield reading;
    // Only now is it known which files were taken in.
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

/** Equal where all texts are. */
function fingerprint(
  reading: Reading,
  included: Iterable<readonly [path: string, text: string | undefined]>,
): string {
  const own = reading instanceof Error ? reading.message : reading;
  return JSON.stringify([own, [...included].map(([path, text]) => [path, text ?? null])]);
}

/** Waits; gives whether the signal has come. */
async function ends(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  await setTimeout(milliseconds, undefined, { signal }).catch((error) => {
    if (!signal.aborted) throw error;
  });
  return signal.aborted;
}
