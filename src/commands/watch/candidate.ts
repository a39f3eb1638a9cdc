/** What a service would be made of now: the model, the variables and the files that it reads. */
import { readFile } from "node:fs/promises";
import process from "node:process";
import type { FileDependency } from "../../contract/definition.ts";
import type { Model } from "../../model/mod.ts";
import type { PluginReloader } from "../../plugins/mod.ts";
import { loadConfig } from "../../runtime/load.ts";
import { hostOptions, readConfigFiles } from "../../server/files.ts";
import type { EnvFileLoader } from "../env-file.ts";
import { commandOptions } from "../load.ts";
import type { WatchedFiles } from "./changes.ts";
import { contentOf } from "./stamps.ts";

/** A configuration that has no problems. */
export interface Candidate {
  readonly model: Model;
  /** The variables of the time at which it was loaded. */
  readonly env: (name: string) => string | undefined;
  /** What it would read from files when it starts. */
  readonly contents: readonly string[];
}

/** What lasts from one configuration to the next. */
export interface CandidateContext {
  readonly files: WatchedFiles;
  /** Undefined without a file of variables. */
  readonly variables: EnvFileLoader | undefined;
  readonly plugins: PluginReloader;
}

/**
 * Loads a configuration as it is now, and watches every file that it names.
 *
 * @throws {ConfigError} The configuration has errors.
 * @throws {ConfigPathError | UsageError} There is no configuration, or no file of variables.
 */
export async function loadCandidate(
  paths: readonly string[],
  { files, variables, plugins }: CandidateContext,
): Promise<Candidate> {
  files.clear();
  plugins.begin();
  if (variables !== undefined) await files.note({ kind: "file", path: variables.path });
  await files.note({ kind: "configuration", paths });
  await variables?.load();
  const env = fixedVariables();
  const named: FileDependency[] = [];
  try {
    const model = await loadConfig(await readConfigFiles(...paths), {
      ...commandOptions(),
      env,
      async readFile(path) {
        await files.note({ kind: "file", path });
        return await hostOptions.readFile(path);
      },
      importPlugin: plugins.importPlugin,
      onFile: (file) => void named.push(file),
    });
    await noteAll(named, files);
    const contents = await Promise.all(named.map(contentOf));
    return { model, env, contents: [...contents, JSON.stringify([...plugins.files])] };
  } catch (error) {
    await noteAll(named, files);
    throw error;
  } finally {
    for (const [path, text] of plugins.files) {
      // One that was changed since it was imported is imported again with the next check.
      const file = { kind: "file", path } as const;
      await files.note(file);
      if (await readOrNothing(path) !== text) files.expire(file);
    }
  }
}

/** Whether a start would make the same server. */
export function isSame(before: Candidate, now: Candidate): boolean {
  return before.model.source.describe() === now.model.source.describe() &&
    before.contents.length === now.contents.length &&
    before.contents.every((content, index) => content === now.contents[index]) &&
    [...before.model.source.env].every(([name, value]) => now.env(name) === value);
}

/** Reads each variable once: what runs keeps its values when the file of variables changes. */
function fixedVariables(): (name: string) => string | undefined {
  // Not all at once, since Deno may allow to read only some of them.
  const values = new Map<string, string | undefined>();
  return (name) => {
    if (!values.has(name)) values.set(name, process.env[name]);
    return values.get(name);
  };
}

async function readOrNothing(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch(() => undefined);
}

async function noteAll(files: readonly FileDependency[], watched: WatchedFiles): Promise<void> {
  await Promise.all(files.map((file) => watched.note(file)));
}
