/** Makes the packages that some tests install, and installs the tools that they need, once for all. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Check } from "./checks.ts";

/** What a test imports that installs packages. */
const USES = /support\/(?:packages|package-user|npm-project|registry|extras)\.ts"/;

/** The command that makes the packages, if one of the files needs them. */
export async function packagesFor(
  files: readonly string[],
  root: string,
  folder: string,
): Promise<Check | undefined> {
  for (const file of files) {
    if (!USES.test(await readFile(join(root, file), "utf8"))) continue;
    const script = fileURLToPath(import.meta.url);
    return { name: "packages for npm and JSR", args: ["run", "-A", script, folder] };
  }
  return undefined;
}

if (import.meta.main) {
  // On demand: `tests/run.ts` imports this file before the dependencies are installed.
  const { writePackages } = await import("../support/packages.ts");
  const { extraVersions, needExtra, noOtherNodes } = await import("../support/extras.ts");
  await writePackages(process.argv[2]);
  for (const extra of Object.keys(extraVersions) as (keyof typeof extraVersions)[]) {
    if (!extra.startsWith("node") || noOtherNodes === undefined) await needExtra(extra);
  }
}
