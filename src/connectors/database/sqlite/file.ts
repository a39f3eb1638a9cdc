/** Whether the file of a database is still the one that was opened. */
import { statSync } from "node:fs";

/**
 * A file that a database is in. SQLite keeps writing to one that was deleted or replaced, and
 * everything is lost that is written then; so it is compared by its number on the disk.
 */
export class DatabaseFile {
  readonly #path: string;
  readonly #opened: string;
  #trouble: string | undefined;

  /** Call it when the database has been opened. */
  constructor(path: string) {
    this.#path = path;
    const { identity, problem } = find(path);
    this.#opened = identity ?? "";
    this.#trouble = problem && this.#describe(problem);
  }

  /** What was found at the last look; undefined where all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Looks again, which costs a system call: 5 to 15 µs, where a commit takes 150 and more. */
  look(): string | undefined {
    const { identity, problem } = find(this.#path);
    const found = problem ?? (identity === this.#opened ? undefined : "was replaced");
    return this.#trouble = found && this.#describe(found);
  }

  #describe(problem: string): string {
    return `the file "${this.#path}" ${problem} while it was open; put it back, or end the service, ` +
      "put a database there without the old -wal and -shm files, and start again";
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
