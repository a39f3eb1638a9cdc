/**
 * Makes the executable `dist/weir`, with the Bun that the tests run on.
 *
 *     deno task binary                         for this system
 *     deno task binary --target linux-arm64    for another one: dist/weir-linux-arm64
 *
 * Exit codes: 0 made, 1 a failure, 2 wrong usage.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installPackage, installTool } from "../tests/runner/install.ts";
import { run } from "../tests/runner/process.ts";
import { versions } from "../tests/support/toolchain.ts";
import { makeExecutable } from "./build.ts";

/** The npm package with Bun for each system, without `@oven/bun-`. */
const TARGETS: Readonly<Record<string, string>> = {
  "linux-x64": "linux-x64",
  "linux-x64-baseline": "linux-x64-baseline",
  "linux-arm64": "linux-aarch64",
  "darwin-x64": "darwin-x64",
  "darwin-arm64": "darwin-aarch64",
};

const root = fileURLToPath(new URL("../", import.meta.url));

/** The command line is wrong. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

function parseTarget(args: string[]): string | undefined {
  try {
    const { values: { target } } = parseArgs({ args, options: { target: { type: "string" } } });
    if (target === undefined || Object.hasOwn(TARGETS, target)) return target;
    throw new Error(`--target must be one of ${Object.keys(TARGETS).join(", ")}`);
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

/** Installs the Bun of another system, which this one cannot run. Returns its path. */
async function installOther(target: string): Promise<string> {
  const name = `@oven/bun-${TARGETS[target]}`;
  const folder = join(root, ".tools", `bun-${versions.bun}-${target}`);
  const path = join(folder, "node_modules", name, "bin/bun");
  if (!await exists(path)) await installPackage(name, versions.bun, folder);
  return path;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

async function main(target: string | undefined): Promise<void> {
  const installed = await run(process.execPath, ["install", "--frozen"], {
    cwd: root,
    timeout: 300_000,
  });
  if (!installed.ok) throw new Error(`the dependencies cannot be installed\n${installed.output}`);
  const output = join(root, "dist", target === undefined ? "weir" : `weir-${target}`);
  await makeExecutable({
    bun: await installTool("bun"),
    output,
    ...target !== undefined &&
      { target: { name: `bun-${target}`, bun: await installOther(target) } },
  });
  const { size } = await stat(output);
  console.log(`${output}: ${Math.round(size / 1e6)} MB`);
}

try {
  await main(parseTarget(process.argv.slice(2)));
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
