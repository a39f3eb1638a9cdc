/** The machine and the versions of a run. */
import { cpus, release } from "node:os";
import type { Toolchain } from "../tests/support/toolchain.ts";

/** The machine and the programs of a run. */
export interface Environment {
  /** The processor's model and its number of cores. */
  readonly machine: string;
  readonly cores: number;
  /** Operating system and kernel. */
  readonly system: string;
  /** The versions of the runtimes and of installed peers. */
  readonly versions: Readonly<Record<string, string>>;
  /** The commit, followed by "with changes" where files differ from it. */
  readonly commit: string;
}

const packages: Readonly<Record<string, string>> = {
  ws: "../node_modules/ws/package.json",
  "socket.io": "peers/node_modules/socket.io/package.json",
  crossws: "peers/node_modules/crossws/package.json",
};

const programs: Readonly<Record<string, readonly string[]>> = {
  nginx: ["-v"],
  mosquitto: ["-h"],
};

/** Describes this machine. */
export async function environment(tools: Toolchain): Promise<Environment> {
  const [{ model } = { model: "unknown" }] = cpus();
  const cores = navigator.hardwareConcurrency;
  const commit = await output("git", ["rev-parse", "--short", "HEAD"]);
  // A run writes to docs, which it does not measure.
  const changes = await output("git", ["status", "--porcelain", "--", ".", ":!docs"]);
  return {
    machine: `${model.trim()}, ${cores} ${cores === 1 ? "core" : "cores"}`,
    cores,
    system: `${Deno.build.os} ${release()}`,
    versions: await versionsOf(tools),
    commit: commit === undefined ? "none" : changes === "" ? commit : `${commit} with changes`,
  };
}

async function versionsOf(tools: Toolchain): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  const keep = (name: string, text: string | undefined) => {
    const version = text?.match(/\d+\.\d+\.\d+/)?.[0];
    if (version !== undefined) versions[name] = version;
  };
  for (const [name, path] of Object.entries(tools)) {
    keep(name, await output(path, ["--version"]));
  }
  for (const [name, path] of Object.entries(packages)) {
    const text = await Deno.readTextFile(new URL(path, import.meta.url)).catch(() => undefined);
    if (text !== undefined) keep(name, JSON.parse(text).version);
  }
  for (const [name, args] of Object.entries(programs)) keep(name, await output(name, [...args]));
  return versions;
}

/** The output of a command; undefined when the command does not exist. */
async function output(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await new Deno.Command(command, {
      args,
      cwd: new URL("..", import.meta.url),
      stdin: "null",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    // nginx prints its version on standard error, and mosquitto's help exits with an error.
    return decoder.decode(stdout).trim() || decoder.decode(stderr).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
