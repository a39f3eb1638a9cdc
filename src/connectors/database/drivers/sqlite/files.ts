/** Whether the files of a database are still those that were opened. */
import { statSync } from "node:fs";

/**
 * The files of a database. SQLite keeps writing to a file that was deleted or replaced, and everything
 * that is written then is lost. So the files are identified by their numbers on the disk.
 */
export class DatabaseFiles {
  /** What was found when each was opened, by its path. */
  readonly #opened: ReadonlyMap<string, string>;
  #problem: string | undefined;

  /** The database must be open: SQLite keeps its log as long as it is. */
  constructor(path: string, hasLog: boolean) {
    const paths = hasLog ? [path, `${path}-wal`] : [path];
    this.#opened = new Map(paths.map((path) => [path, find(path).identity ?? ""]));
    this.look();
  }

  /** What was wrong at the last check; undefined if nothing was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Checks again, with one system call for each file: 5 to 15 µs; a commit takes 150 or more. */
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

/** The file's number and that of its disk, or why they cannot be read. */
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
