/** Tools that a few tests need, beside the runtimes that all tests run on. */

import manifest from "../toolchain.json" with { type: "json" };
import { execFile } from "node:child_process";
import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { root } from "./process.ts";
import { needTool, toolPackage } from "./toolchain.ts";

/** The oldest Node that works, one that is too old, a package manager and a type checker. */
export type Extra = "node22" | "node20" | "npm" | "typescript";

/** The version of each. */
export const extraVersions: Readonly<Record<Extra, string>> = manifest.extras;

/** Why this machine cannot have Node in other versions; undefined if it can. */
export const noOtherNodes: string | undefined = toolPackage("node") === undefined
  ? "the npm registry has no Node for this machine"
  : undefined;

/**
 * The folder of a tool's package. Installs it if it is missing.
 *
 * @throws Error that names the package that cannot be installed.
 */
export async function needExtra(extra: Extra): Promise<string> {
  const name = packageOf(extra);
  const version = extraVersions[extra];
  const folder = join(root, ".tools", `${extra}-${version}`);
  const found = join(folder, "node_modules", name);
  if (await exists(found)) return found;
  // Another process may install the same: the folder gets its name when it is complete.
  const draft = `${folder}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  try {
    const imports = { [name]: `npm:${name}@${version}` };
    const config = { nodeModulesDir: "auto", lock: false, imports };
    await writeFile(join(draft, "deno.json"), `${JSON.stringify(config, null, 2)}\n`);
    await promisify(execFile)(await needTool("deno"), ["install", "--quiet"], { cwd: draft });
    await rename(draft, folder).catch(async (error) => {
      if (!await exists(found)) throw error;
    });
  } catch (cause) {
    throw new Error(`${name}@${version} cannot be installed: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return found;
}

/** The executable of another Node. */
export async function needNode(extra: "node22" | "node20"): Promise<string> {
  return join(await needExtra(extra), "bin/node");
}

function packageOf(extra: Extra): string {
  if (!extra.startsWith("node")) return extra;
  const found = toolPackage("node");
  if (found === undefined) throw new Error(`${extra}: ${noOtherNodes}`);
  return found.name;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
