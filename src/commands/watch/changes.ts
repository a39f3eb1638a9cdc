/** Watches the files of a service. */
import { setTimeout } from "node:timers/promises";
import { stampOf, type Watched } from "./stamps.ts";

/** How files are watched. */
export interface ChangesOptions {
  /** The files. They may be noted anew whenever a change was yielded. */
  readonly files: WatchedFiles;
  /** Stops watching. */
  readonly signal: AbortSignal;
  /** The interval between two checks, in milliseconds; 500 by default. */
  readonly every?: number;
  /** How long files must stay unchanged, since editors write in steps; in milliseconds, 50 by default. */
  readonly settle?: number;
}

/** The files that are watched, each with its stamp of the time at which it was read. */
export class WatchedFiles {
  readonly #stampOf: (watched: Watched) => Promise<string>;
  #noted = new Map<string, { readonly watched: Watched; readonly stamp: string }>();

  /** Another function is for tests. */
  constructor(stamp: (watched: Watched) => Promise<string> = stampOf) {
    this.#stampOf = stamp;
  }

  /** Forgets all. */
  clear(): void {
    this.#noted.clear();
  }

  /** Watches a file from now on. Call it before the file is read, so that no later change is missed. */
  async note(watched: Watched): Promise<void> {
    const key = JSON.stringify(watched);
    // The first one counts: what was changed between two reads is a change.
    if (this.#noted.has(key)) return;
    this.#noted.set(key, { watched, stamp: await this.#stampOf(watched) });
  }

  /** Makes the next check find a change of a file that was noted. */
  expire(watched: Watched): void {
    this.#noted.set(JSON.stringify(watched), { watched, stamp: "" });
  }

  /** The stamps of when the files were noted. */
  get noted(): string {
    return join([...this.#noted.values()].map(({ stamp }) => stamp));
  }

  /** The stamps of now. */
  async look(): Promise<string> {
    const watched = [...this.#noted.values()];
    return join(await Promise.all(watched.map(({ watched }) => this.#stampOf(watched))));
  }
}

/**
 * Yields at once, and again when one of the files was changed, added or removed. It polls, which works
 * the same on every system and every file system.
 */
export async function* changes(
  { files, signal, every = 500, settle = 50 }: ChangesOptions,
): AsyncGenerator<void, void> {
  while (!signal.aborted) {
    yield;
    const known = files.noted;
    let latest = known;
    while (latest === known) {
      if (await ends(every, signal)) return;
      latest = await files.look();
    }
    let before: string | undefined;
    while (latest !== before) {
      before = latest;
      if (await ends(settle, signal)) return;
      latest = await files.look();
    }
  }
}

function join(stamps: readonly string[]): string {
  return JSON.stringify(stamps);
}

/** Waits. Returns whether the signal was aborted. */
async function ends(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  await setTimeout(milliseconds, undefined, { signal }).catch((error) => {
    if (!signal.aborted) throw error;
  });
  return signal.aborted;
}
