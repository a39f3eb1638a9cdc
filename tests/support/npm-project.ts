/** Weir as npm installs it. A test run installs it once, since this takes longer than most tests. */

import { access, copyFile, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Machine } from "./project.ts";
import { PACKAGES_VARIABLE } from "./toolchain.ts";

const INSTALL = "npm install --prefer-offline --no-audit @weir/runtime @types/node";

/** Puts `@weir/runtime` and `@types/node` into an empty project of ES modules. */
export async function haveNpmPackage(machine: Machine, folder: string): Promise<void> {
  const shared = process.env[PACKAGES_VARIABLE];
  if (shared === undefined) return await install(machine, folder);
  const project = join(shared, "project");
  if (!await exists(project)) await installShared(machine, shared, project);
  await symlink(join(project, "node_modules"), join(folder, "node_modules"));
  await copyFile(join(project, "package.json"), join(folder, "package.json"));
}

/** Another process may install the same: the folder gets its name when it is complete. */
async function installShared(machine: Machine, parent: string, project: string): Promise<void> {
  const draft = await mkdtemp(join(parent, "draft-"));
  try {
    await install(machine, draft);
    await rename(draft, project).catch(async (error) => {
      if (!await exists(project)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function install(machine: Machine, folder: string): Promise<void> {
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await machine.run(INSTALL, folder);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
