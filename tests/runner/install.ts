/** Installs the pinned runtimes that this machine lacks, from the npm registry. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  findTool,
  type Tool,
  type Toolchain,
  toolchain,
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
  for (const tool of ["deno", "bun", "node"] as const) {
    if (await findTool(tool) === undefined) await install(tool);
  }
  return await toolchain();
}

async function install(tool: Tool): Promise<void> {
  const found = toolPackage(tool);
  if (found === undefined) return; // `toolchain` throws and says what to do.
  const folder = toolFolder(tool);
  await mkdir(folder, { recursive: true });
  const manifest = {
    nodeModulesDir: "auto",
    lock: false,
    imports: { [found.name]: `npm:${found.name}@${versions[tool]}` },
  };
  await writeFile(join(folder, "deno.json"), JSON.stringify(manifest, null, 2) + "\n");
  const { ok, output, end } = await run(process.execPath, ["install"], {
    cwd: folder,
    timeout: 300_000,
  });
  if (!ok) {
    throw new Error(`${found.name}@${versions[tool]} cannot be installed: ${end}\n${output}`);
  }
}
