/** Weir and its peers, as programs that the benchmark starts. */
import type { Tool } from "../../tests/support/toolchain.ts";
import { compiled } from "../compile.ts";
import type { ServerSpec } from "../servers.ts";

/** In the order in which they are measured. */
export const runtimes: readonly Tool[] = ["node", "deno", "bun"];

const entrypoints: Readonly<Record<Tool, readonly string[]>> = {
  node: ["src/cli.ts"],
  deno: ["run", "-A", "src/cli-deno.ts"],
  bun: ["--no-env-file", "src/cli.ts"],
};

/** How to start a program, beside its runtime. */
export type Extras = Pick<ServerSpec, "env" | "unpinned">;

interface WeirExtras extends Extras {
  /** Options of `run`. */
  readonly options?: readonly string[];
  /** The folder of another version, relative to the repository, with a slash at its end. */
  readonly root?: string;
}

/** Weir with a configuration of this folder. */
export function weir(
  runtime: Tool,
  config: string,
  { options = [], root = "", ...extras }: WeirExtras = {},
): ServerSpec {
  const entrypoint = entrypoints[runtime];
  const program = [...entrypoint.slice(0, -1), root + entrypoint.at(-1)];
  const args = [...program, "run", config, ...options];
  return { name: `weir-${runtime}`, runtime, args, ready: "is ready in", ...extras };
}

/** A program of `bench/baselines`, which says "ready". */
export function baseline(runtime: Tool, file: string, extras: Extras = {}): ServerSpec {
  const path = `bench/baselines/${file}`;
  const args = runtime === "deno" ? ["run", "-A", path] : [path];
  return { name: file, runtime, args, ready: "ready", ...extras };
}

/** The server in C that does the least: what a delivery or an answer costs at its floor. */
export const floor: ServerSpec = {
  name: "floor",
  args: ["bench/.build/floor"],
  build: () => compiled("floor", "baselines"),
  ready: "ready",
};

/** A program of `bench/peers`, on Node, which says "ready". */
export function peer(file: string): ServerSpec {
  return { name: file, runtime: "node", args: [`bench/peers/${file}`], ready: "ready" };
}

/** How to install a package of `bench/peers`; undefined where it is installed. */
export async function missingPeer(name: string): Promise<string | undefined> {
  const manifest = new URL(`../peers/node_modules/${name}/package.json`, import.meta.url);
  if (await exists(manifest)) return undefined;
  return `${name} is not installed: run \`bun install\` in bench/peers`;
}

/** How to install a program and a file that it needs; undefined where they are installed. */
export async function missingProgram(
  name: string,
  packages: string,
  file?: string,
): Promise<string | undefined> {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"];
  const found = await Promise.all(folders.map((folder) => exists(`${folder}/${name}`)));
  if (found.includes(true) && (file === undefined || await exists(file))) return undefined;
  return `${packages} is not installed: run \`apt-get install ${packages}\``;
}

async function exists(path: string | URL): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
