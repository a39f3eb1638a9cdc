/** Loads the configuration of a command. */
import type { Model } from "../model/mod.ts";
import { loadConfig, type LoadOptions } from "../runtime/load.ts";
import { hasFolder, hostOptions, readConfigFiles } from "../server/files.ts";
import type { ReadingCommand } from "./arguments.ts";
import { diskCache } from "./disk-cache.ts";
import { EnvFileLoader } from "./env-file.ts";

/**
 * Reads the file of variables, then the files of the command's paths. Every command loads this way.
 *
 * @throws {ConfigError} The configuration has errors.
 * @throws {ConfigPathError | UsageError} There is no configuration, or no such file of variables.
 */
export async function loadModel(
  { paths, envFile }: Pick<ReadingCommand, "paths" | "envFile">,
  options: Pick<LoadOptions, "now" | "randomBytes" | "hasFolder" | "inspect"> = {},
): Promise<Model> {
  if (envFile !== undefined) await new EnvFileLoader(envFile).load();
  return await loadConfig(await readConfigFiles(...paths), { ...commandOptions(), ...options });
}

/** How commands load a configuration. */
export function commandOptions(): LoadOptions & Pick<typeof hostOptions, "readFile"> {
  return { ...hostOptions, hasFolder, cache: diskCache(), embedded: false };
}
