/** Loads the configuration of a command. */
import process from "node:process";
import { parseEnv } from "node:util";
import { readTextFile } from "../base/text-file.ts";
import type { Model } from "../model/mod.ts";
import { loadConfig, type LoadOptions } from "../runtime/load.ts";
import { hostOptions, readConfigFiles } from "../server/files.ts";
import { type EnvFile, type ReadingCommand, UsageError } from "./arguments.ts";
import { diskCache } from "./disk-cache.ts";

/**
 * Reads the file of variables, then the files of the command's paths. Every command loads this way.
 *
 * @throws {ConfigError} The configuration has errors.
 * @throws {ConfigPathError | UsageError} There is no configuration, or no such file of variables.
 */
export async function loadModel(
  { paths, envFile }: Pick<ReadingCommand, "paths" | "envFile">,
  options: Pick<LoadOptions, "now"> = {},
): Promise<Model> {
  if (envFile !== undefined) await loadEnvFile(envFile);
  return await loadConfig(await readConfigFiles(...paths), { ...commandOptions(), ...options });
}

/** How commands load a configuration. */
export function commandOptions(): LoadOptions & Pick<typeof hostOptions, "readFile"> {
  return { ...hostOptions, cache: diskCache(), embedded: false };
}

/**
 * Sets the variables of a file that are not set yet.
 *
 * @throws {UsageError} The file cannot be read, or it does not exist and is not optional.
 */
export async function loadEnvFile({ path, optional }: EnvFile): Promise<void> {
  const text = await readTextFile(path).catch((error: Error) => {
    const { code } = error.cause as NodeJS.ErrnoException;
    if (optional && code === "ENOENT") return "";
    const option = optional ? `--dotenv (${path})` : `--env-file ${path}`;
    throw new UsageError(`${option}: ${error.message}`, { cause: error });
  });
  for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value;
}
