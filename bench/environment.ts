/** Where a run was made: without it a number says nothing. */
import { cpus, release } from "node:os";
import type { Toolchain } from "../tests/support/toolchain.ts";

/** The machine and the programs of a run. */
export interface Environment {
  /** The processor's model and its number of cores. */
  readonly machine: string;
  /** Operating system and kernel. */
  readonly system: string;
  /** What each runtime says of its version. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** The commit, with a mark where files differ from it. */
  readonly commit: string;
}

/** Looks at this machine. */
export async function environment(tools: Toolchain): Promise<Environment> {
  const cores = cpus();
  const runtimes: Record<string, string> = {};
  for (const [name, path] of Object.entries(tools)) {
    const text = await output(path, ["--version"]);
    runtimes[name] = text?.match(/\d+\.\d+\.\d+/)?.[0] ?? "unknown";
  }
  const commit = await output("git", ["rev-parse", "--short", "HEAD"]);
  const changes = await output("git", ["status", "--porcelain"]);
  return {
    machine: `${cores[0]?.model ?? "unknown"}, ${cores.length} cores`,
    system: `${Deno.build.os} ${release()}`,
    runtimes,
    commit: commit === undefined ? "none" : changes === "" ? commit : `${commit} with changes`,
  };
}

/** What a command prints; undefined when it fails or does not exist. */
async function output(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, {
      args,
      cwd: new URL("..", import.meta.url),
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
