/** The flags of this process that its workers get, so that they can import what it can import. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Flags that are one argument: memory, garbage collection, warnings, and how modules are found. */
const NODE_FLAG =
  /^--(?:conditions=|(?:no-)?experimental-(?:strip|transform)-types|max-|min-|semi-|expose-gc|trace-|no-warnings|disable-warning|enable-source-maps|preserve-symlinks)/;
const DENO_FLAG =
  /^--(?:cached-only|cert|conditions|config|frozen|import-map|lock|no-config|no-lock|no-npm|no-remote|node-modules-dir|unstable-[a-z-]+|v8-flags|vendor)(?:=|$)/;

/** Flags whose value is the next argument. */
const NODE_PAIR = /^(?:--conditions|-C)$/;
const DENO_PAIR = /^(?:--cert|--conditions|--config|--import-map|-c)$/;

/** Which file Deno reads in a folder. */
const CONFIG_FILES = ["deno.json", "deno.jsonc"];

/** Those of Node. A debugger's port can belong to one process only. */
export function nodeFlags(given: readonly string[] = process.execArgv): readonly string[] {
  return pick(given, NODE_FLAG, NODE_PAIR);
}

/**
 * Those of Deno. It looks for `deno.json` from the folder of its program, so a worker, which runs
 * `module`, gets the one of this process as a flag.
 */
export function denoFlags(
  module: string,
  commandLine: readonly string[] = ownCommandLine(),
  args: readonly string[] = process.argv.slice(2),
): readonly string[] {
  const end = commandLine.length - args.length - 1;
  const flags = pick(commandLine.slice(1, Math.max(end, 1)), DENO_FLAG, DENO_PAIR);
  if (end < 1 || flags.some((flag) => /^(?:-c|--config|--no-config)(?:=|$)/.test(flag))) {
    return flags;
  }
  const config = configFor(commandLine[end]);
  const same = config === undefined || config === configFor(module);
  return same ? flags : [...flags, "--config", config];
}

function pick(given: readonly string[], known: RegExp, pairs: RegExp): readonly string[] {
  return given.flatMap((flag, index) => {
    if (pairs.test(flag)) return given.slice(index, index + 2);
    return known.test(flag) ? [flag] : [];
  });
}

/** What this process was started with. Deno has its own flags nowhere else. */
function ownCommandLine(): readonly string[] {
  try {
    return readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
  } catch {
    // Deno lets a program read it only with all permissions.
    return [];
  }
}

/** The configuration that Deno finds for a program: from its folder, or that of the process. */
function configFor(script: string): string | undefined {
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(script);
  const path = script.startsWith("file:") ? fileURLToPath(script) : isUrl ? "-" : script;
  for (let folder = dirname(resolve(path));;) {
    const found = CONFIG_FILES.map((name) => join(folder, name)).find((file) => existsSync(file));
    const parent = dirname(folder);
    if (found !== undefined || parent === folder) return found;
    folder = parent;
  }
}
