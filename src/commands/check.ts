/** `weir check`: everything that a start checks, without starting. */
import { loadConfig } from "../load.ts";
import type { Model } from "../model.ts";
import { hostOptions, readConfigFiles } from "../server/files.ts";
import type { CheckCommand, RunCommand } from "./arguments.ts";
import { loadEnvFile } from "./env-file.ts";

/** Prints that the configuration is good; what is wrong with it is thrown. */
export async function check(command: CheckCommand): Promise<number> {
  const { connectors, flows } = await readModel(command);
  console.log(`good: ${count(connectors.size, "connector")}, ${count(flows.length, "flow")}`);
  return 0;
}

/** The model of a command's paths: the very path that `run` takes. */
export async function readModel(
  { paths, envFile }: Pick<CheckCommand | RunCommand, "paths" | "envFile">,
): Promise<Model> {
  if (envFile !== undefined) await loadEnvFile(envFile);
  return await loadConfig(await readConfigFiles(...paths), hostOptions);
}

function count(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}
