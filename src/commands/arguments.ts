/** What the command line says. */
import process from "node:process";
import { parseArgs } from "node:util";
import manifest from "../../deno.json" with { type: "json" };
import { didYouMean } from "../base/nearest.ts";
import { MAX_WORKERS } from "../server/host.ts";

/** The version of this package. */
export const VERSION: string = manifest.version;

/** The templates of `weir init`. */
export const TEMPLATES = ["chat", "dashboard", "notifications", "iot"] as const;

/** What `--help` shows. */
export const USAGE = `weir ${VERSION}: a declarative real-time server

usage:
  weir [run] [PATH…]   run a configuration: files, or folders of *.hcl (default: this folder)
  weir check [PATH…]   check it without running it
  weir test [PATH…]    run its test blocks, without any server
  weir init FOLDER     make a new configuration in a folder

options of run:
  --watch              start again whenever a file of the configuration changes
  --workers N          so many processes share the ports and are one service (default: 1; Linux)
  --port NAME=PORT     listen on another port with the connector NAME; 0 takes a free one
  --log-level LEVEL    trace, debug, info (default), warning, error
  --log-format FORMAT  text (default) or json

options of check:
  --strict             take warnings for errors
  --connect            connect to every database and broker, too
  --json               print the problems as JSON

options of test:
  --filter TEXT        run the tests whose name has this text
  --json               print the results as JSON

options of run, check and test:
  --env-file FILE      read environment variables from a file; those that are set stay

options of init:
  --template NAME      ${TEMPLATES.join(", ")} (default: ${TEMPLATES[0]})

  --help, --version

exit codes: 0 good, 1 wrong configuration or failed test, 2 wrong usage, 3 could not start`;

/** A command line that says nothing that can be done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Stable, as every code of an error. */
  readonly code = "usage-error";
}

const LOG_LEVELS = ["trace", "debug", "info", "warning", "error"] as const;
const LOG_FORMATS = ["text", "json"] as const;

/** From which level on the log is shown. */
export type LogLevel = typeof LOG_LEVELS[number];
/** How a log record is written. */
export type LogFormat = typeof LOG_FORMATS[number];

/** What every command that reads a configuration is told. */
export interface ReadingCommand {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly envFile: string | undefined;
}

/** `weir check`. */
export interface CheckCommand extends ReadingCommand {
  readonly name: "check";
  /** Warnings are errors. */
  readonly strict: boolean;
  /** Databases and brokers are connected to. */
  readonly connect: boolean;
  readonly json: boolean;
}

/** `weir test`. */
export interface TestCommand extends ReadingCommand {
  readonly name: "test";
  /** Only tests whose name has this text; all where it is empty. */
  readonly filter: string;
  readonly json: boolean;
}

/** `weir init`. */
export interface InitCommand {
  readonly name: "init";
  readonly folder: string;
  readonly template: typeof TEMPLATES[number];
}

/** `weir run`. */
export interface RunCommand extends ReadingCommand {
  readonly name: "run";
  readonly watch: boolean;
  /** How many processes are one service. */
  readonly workers: number;
  /** By the name of a connector. */
  readonly ports: Readonly<Record<string, number>>;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** What there is to do. */
export type Command =
  | CheckCommand
  | TestCommand
  | InitCommand
  | RunCommand
  | { readonly name: "help" }
  | { readonly name: "version" };

const READING = { "env-file": { type: "string" } } as const;

/** The options of each command. */
const OPTIONS = {
  run: {
    ...READING,
    watch: { type: "boolean" },
    workers: { type: "string" },
    port: { type: "string", multiple: true },
    "log-level": { type: "string" },
    "log-format": { type: "string" },
  },
  check: {
    ...READING,
    strict: { type: "boolean" },
    connect: { type: "boolean" },
    json: { type: "boolean" },
  },
  test: { ...READING, filter: { type: "string" }, json: { type: "boolean" } },
  init: { template: { type: "string" } },
} as const;

type CommandName = keyof typeof OPTIONS;

/**
 * Reads a command line, the program's own name left out.
 *
 * @throws {UsageError} It has a flag that there is not, or a value that a flag cannot have.
 */
export function parseCommand(args: readonly string[]): Command {
  if (args.includes("--help") || args.includes("-h")) return { name: "help" };
  if (args.includes("--version")) return { name: "version" };
  const [first, ...rest] = args;
  switch (first) {
    case "check": {
      const { values, positionals } = parse("check", rest);
      const { strict = false, connect = false, json = false } = values;
      return { name: "check", ...reading(values, positionals), strict, connect, json };
    }
    case "test": {
      const { values, positionals } = parse("test", rest);
      const { filter = "", json = false } = values;
      return { name: "test", ...reading(values, positionals), filter, json };
    }
    case "init":
      return parseInit(rest);
    default:
      return parseRun(first === "run" ? rest : args);
  }
}

function parseRun(args: readonly string[]): RunCommand {
  const { values, positionals } = parse("run", args);
  const { watch = false } = values;
  const workers = parseWorkers(values.workers ?? "1");
  if (watch && workers > 1) throw new UsageError("--watch is for one process; leave --workers out");
  return {
    name: "run",
    ...reading(values, positionals),
    watch,
    workers,
    ports: Object.fromEntries((values.port ?? []).map(parsePort)),
    logLevel: choose("--log-level", values["log-level"] ?? "info", LOG_LEVELS),
    logFormat: choose("--log-format", values["log-format"] ?? "text", LOG_FORMATS),
  };
}

function parseInit(args: readonly string[]): InitCommand {
  const { values, positionals: [folder, second] } = parse("init", args);
  if (folder === undefined) throw new UsageError("init needs a folder: weir init my-server");
  if (second !== undefined) throw new UsageError(`init makes one folder; "${second}" is too many`);
  return {
    name: "init",
    folder,
    template: choose("--template", values.template ?? TEMPLATES[0], TEMPLATES),
  };
}

function reading(
  values: { readonly "env-file"?: string | undefined },
  positionals: readonly string[],
): ReadingCommand {
  const paths = positionals.length === 0 ? [process.cwd()] : positionals;
  return { paths, envFile: values["env-file"] };
}

function parse<N extends CommandName>(name: N, args: readonly string[]) {
  const options = OPTIONS[name];
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    const flags = Object.keys(options).map((option) => `--${option}`);
    const unknown = args.find((arg) => arg.startsWith("-") && !flags.includes(arg.split("=")[0]));
    if (unknown === undefined) throw new UsageError((cause as Error).message, { cause });
    const flag = unknown.split("=")[0];
    throw new UsageError(`${name} has no option ${flag}; ${hintFor(flag, flags)}`, { cause });
  }
}

/** The command that has such an option, or an option that was meant. */
function hintFor(flag: string, flags: readonly string[]): string {
  const owners = Object.entries(OPTIONS)
    .filter(([, options]) => Object.hasOwn(options, flag.slice(2)))
    .map(([name]) => name);
  if (owners.length > 0) return `${owners.join(" and ")} ${owners.length > 1 ? "have" : "has"} it`;
  return didYouMean(flag, flags) ?? "see --help";
}

function parseWorkers(text: string): number {
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > MAX_WORKERS) {
    throw new UsageError(`--workers ${text}: write a whole number from 1 to ${MAX_WORKERS}`);
  }
  if (workers > 1 && process.platform !== "linux") {
    throw new UsageError("--workers: several processes share a port on Linux only");
  }
  return workers;
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
