/** Installs the pinned runtimes that this machine lacks, from the npm registry. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  findTool,
  needTool,
  type Tool,
  type Toolchain,
  toolFolder,
  toolPackage,
  versions,
} from "../support/toolchain.ts";
import { run } from "./process.ts";

/**
 * Finds or installs all three runtimes.
 *
 * @throws Error that names the runtime that cannot be installed, and the reason.
 */
export async function installToolchain(): Promise<Toolchain> {
  const [deno, bun, node] = [
    await installTool("deno"),
    await installTool("bun"),
    await installTool("node"),
  ];
  return { deno, bun, node };
}

/**
 * Finds or installs one runtime, and returns its path.
 *
 * @throws Error that names the runtime that cannot be installed, and the reason.
 */
export async function installTool(tool: Tool): Promise<string> {
  if (await findTool(tool) === undefined) await install(tool);
  return await needTool(tool);
}

async function install(tool: Tool): Promise<void> {
  const found = toolPackage(tool);
  if (found === undefined) return; // `needTool` throws and says what to do.
  await installPackage(found.name, versions[tool], toolFolder(tool));
}

/**
 * Installs one npm package into `node_modules` of a folder of its own, also one for another system.
 *
 * @throws Error that names the package, and the reason.
 */
export async function installPackage(
  name: string,
  version: string,
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = {
    nodeModulesDir: "auto",
    lock: false,
    imports: { [name]: `npm:${name}@${version}` },
  };
  await writeFile(join(folder, "deno.json"), JSON.stringify(manifest, null, 2) + "\n");
  const { ok, output, end } = await run(process.execPath, ["install"], {
    cwd: folder,
    timeout: 300_000,
  });
  if (!ok) throw new Error(`${name}@${version} cannot be installed: ${end}\n${output}`);
}
