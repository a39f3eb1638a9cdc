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
    this.#opened = identity(path) ?? "";
  }

  /** What was found at the last look; undefined where all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Looks again, which costs a system call: 5 to 15 µs, where a commit takes 150 and more. */
  look(): string | undefined {
    return this.#trouble = this.#find();
  }

  #find(): string | undefined {
    const found = identity(this.#path);
    if (found === this.#opened) return undefined;
    const what = found === undefined ? "deleted" : "replaced";
    return `the file "${this.#path}" was ${what} while it was open; put it back, ` +
      `or end the service, put a database there without the old -wal and -shm files, and start again`;
  }
}

/** The file's number and that of its disk; undefined where it cannot be told. */
function identity(path: string): string | undefined {
  // Numbers of files may be larger than what a plain number can hold.
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev} ${found.ino}`;
}
