/** What the command line says. */
import process from "node:process";
import { parseArgs } from "node:util";
import manifest from "../../deno.json" with { type: "json" };
import { didYouMean } from "../nearest.ts";

/** The version of this package. */
export const VERSION: string = manifest.version;

/** What `--help` shows. */
export const USAGE = `weir ${VERSION}: a declarative real-time server

usage:
  weir [run] [PATH…]   run a configuration: files, or folders of *.hcl (default: this folder)
  weir check [PATH…]   check it without running it

options of run:
  --port NAME=PORT     listen on another port with the connector NAME; 0 takes a free one
  --log-level LEVEL    trace, debug, info (default), warning, error
  --log-format FORMAT  text (default) or json

options of run and check:
  --env-file FILE      read environment variables from a file; those that are set stay

  --help, --version

exit codes: 0 good, 1 wrong configuration, 2 wrong usage, 3 could not start`;

/** A command line that says nothing that can be done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const LOG_LEVELS = ["trace", "debug", "info", "warning", "error"] as const;
const LOG_FORMATS = ["text", "json"] as const;

/** From which level on the log is shown. */
export type LogLevel = typeof LOG_LEVELS[number];
/** How a log record is written. */
export type LogFormat = typeof LOG_FORMATS[number];

/** `weir check`. */
export interface CheckCommand {
  readonly name: "check";
  readonly paths: readonly string[];
  readonly envFile: string | undefined;
}

/** `weir run`. */
export interface RunCommand {
  readonly name: "run";
  readonly paths: readonly string[];
  readonly envFile: string | undefined;
  /** By the name of a connector. */
  readonly ports: Readonly<Record<string, number>>;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** What there is to do. */
export type Command =
  | CheckCommand
  | RunCommand
  | { readonly name: "help" }
  | { readonly name: "version" };

/** Commands that there will be: none of them is a path that was left out. */
const PLANNED: readonly string[] = ["test", "init"];

const COMMON = { "env-file": { type: "string" } } as const;
const RUN = {
  ...COMMON,
  port: { type: "string", multiple: true },
  "log-level": { type: "string" },
  "log-format": { type: "string" },
} as const;

/**
 * Reads a command line, the program's own name left out.
 *
 * @throws {UsageError} It has a flag that there is not, or a value that a flag cannot have.
 */
export function parseCommand(args: readonly string[]): Command {
  if (args.includes("--help") || args.includes("-h")) return { name: "help" };
  if (args.includes("--version")) return { name: "version" };
  const [first, ...rest] = args;
  if (PLANNED.includes(first)) {
    throw new UsageError(`there is no command ${first} yet; ./${first} is the folder of that name`);
  }
  if (first === "check") {
    const { values, positionals } = parse(rest, COMMON);
    return { name: "check", paths: orHere(positionals), envFile: values["env-file"] };
  }
  const { values, positionals } = parse(first === "run" ? rest : args, RUN);
  return {
    name: "run",
    paths: orHere(positionals),
    envFile: values["env-file"],
    ports: Object.fromEntries((values.port ?? []).map(parsePort)),
    logLevel: choose("--log-level", values["log-level"] ?? "info", LOG_LEVELS),
    logFormat: choose("--log-format", values["log-format"] ?? "text", LOG_FORMATS),
  };
}

function parse<T extends typeof COMMON | typeof RUN>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    const flags = Object.keys(options).map((name) => `--${name}`);
    const unknown = args.find((arg) => arg.startsWith("-") && !flags.includes(arg.split("=")[0]));
    if (unknown === undefined) throw new UsageError((cause as Error).message, { cause });
    const flag = unknown.split("=")[0];
    const hint = didYouMean(flag, flags) ?? "see --help";
    throw new UsageError(`there is no option ${flag}; ${hint}`, { cause });
  }
}

function orHere(paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? [process.cwd()] : paths;
}

function parsePort(text: string): [string, number] {
  const [, name, digits] = /^(.+)=(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (name === undefined || port > 65535) {
    throw new UsageError(`--port ${text}: write it as --port NAME=PORT, with a port up to 65535`);
  }
  return [name, port];
}

function choose<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((word) => word === value);
  if (found === undefined) throw new UsageError(`${flag} is one of ${known.join(", ")}`);
  return found;
}
