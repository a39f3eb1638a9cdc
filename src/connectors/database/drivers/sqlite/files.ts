/** Whether the files of a database are still those that were opened. */
import { statSync } from "node:fs";

/**
 * The files that a database is in. SQLite keeps writing to one that was deleted or replaced, and
 * everything is lost that is written then; so they are compared by their numbers on the disk.
 */
export class DatabaseFiles {
  /** What was found when each was opened, by its path. */
  readonly #opened: ReadonlyMap<string, string>;
  #problem: string | undefined;

  /** Call it when the database has been opened; with a log, SQLite keeps that for as long. */
  constructor(path: string, hasLog: boolean) {
    const paths = hasLog ? [path, `${path}-wal`] : [path];
    this.#opened = new Map(paths.map((path) => [path, find(path).identity ?? ""]));
    this.look();
  }

  /** What was found at the last look; undefined where all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Looks again, at a system call for each: 5 to 15 µs, where a commit takes 150 and more. */
  look(): string | undefined {
    this.#problem = undefined;
    for (const [path, opened] of this.#opened) {
      const { identity, problem } = find(path);
      if (problem === undefined && identity === opened) continue;
      this.#problem = `the file "${path}" ${problem ?? "was replaced"} while it was open; put it ` +
        "back, or end the service, put a database there without -wal and -shm files of another one, " +
        "and start again";
      break;
    }
    return this.#problem;
  }
}

/** The file's number and that of its disk, or why they cannot be told. */
function find(path: string): { readonly identity?: string; readonly problem?: string } {
  try {
    // Numbers of files may be larger than what a plain number can hold.
    const { dev, ino } = statSync(path, { bigint: true });
    return { identity: `${dev} ${ino}` };
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    return { problem: code === "ENOENT" ? "was deleted" : `became unreachable (${code})` };
  }
}
