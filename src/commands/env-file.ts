/** The variables of `--env-file` and `--dotenv`. */
import process from "node:process";
import { parseEnv } from "node:util";
import { readTextFile } from "../base/text-file.ts";
import { type EnvFile, UsageError } from "./arguments.ts";

/** Sets the variables of a file in the environment of this process. */
export class EnvFileLoader {
  /** The path of the file, as given. */
  readonly path: string;
  readonly #optional: boolean;
  /** The variables that came from the file. */
  readonly #own = new Set<string>();

  /** Reads nothing yet. */
  constructor({ path, optional }: EnvFile) {
    this.path = path;
    this.#optional = optional;
  }

  /**
   * Sets the variables of the file, except those that the environment has set. Later calls replace
   * what an earlier one has set, and unset what the file no longer has.
   *
   * @throws {UsageError} The file cannot be read, or it does not exist and is not optional. The
   * variables stay as they are.
   */
  async load(): Promise<void> {
    const variables = new Map(Object.entries(parseEnv(await this.#read())));
    for (const name of this.#own) {
      if (variables.has(name)) continue;
      delete process.env[name];
      this.#own.delete(name);
    }
    for (const [name, value] of variables) {
      if (process.env[name] !== undefined && !this.#own.has(name)) continue;
      process.env[name] = value;
      this.#own.add(name);
    }
  }

  async #read(): Promise<string> {
    return await readTextFile(this.path).catch((error: Error) => {
      const { code } = error.cause as NodeJS.ErrnoException;
      if (this.#optional && code === "ENOENT") return "";
      const option = this.#optional ? `--dotenv (${this.path})` : `--env-file ${this.path}`;
      throw new UsageError(`${option}: ${error.message}`, { cause: error });
    });
  }
}
