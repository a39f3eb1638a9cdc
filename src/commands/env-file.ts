/** `--env-file`: environment variables from a file. */
import process from "node:process";
import { parseEnv } from "node:util";
import { readTextFile } from "../base/text-file.ts";
import { UsageError } from "./arguments.ts";

/**
 * Sets the variables of a file; one that is set already stays as it is.
 *
 * @throws {UsageError} The file cannot be read.
 */
export async function loadEnvFile(path: string): Promise<void> {
  const text = await readTextFile(path).catch((cause) => {
    throw new UsageError(`--env-file ${path}: ${cause.message}`, { cause });
  });
  for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value;
}
