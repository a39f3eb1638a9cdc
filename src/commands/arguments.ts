/** Parses the command line. */
import process from "node:process";
import { parseArgs } from "node:util";
import { didYouMean } from "../base/nearest.ts";
import { MAX_WORKERS } from "../server/host.ts";
import { VERSION } from "./version.ts";

/** The templates of `weir init`. */
export const TEMPLATES = ["chat", "dashboard", "notifications", "iot"] as const;

/** Where the templates of `weir init` listen. */
export const TEMPLATE_URL = "http://localhost:3000";

/** What `--help` shows. */
export const USAGE = `weir ${VERSION}: a declarative real-time server

usage:
  weir [run] [PATH…]   run a configuration: files, or folders of *.hcl (default: this folder)
  weir check [PATH…]   check a configuration without running it
  weir test [PATH…]    run the test blocks of a configuration, without a server
  weir init FOLDER     create a project in a folder
  weir health [URL]    ask a running server whether it is ready (default: ${TEMPLATE_URL})

options of run:
  --watch              restart when a file of the configuration changes
  --workers N          serve with N processes that share the ports (default: 1; Linux only)
  --port NAME=PORT     replace the port of the connector NAME; 0 for any free port
  --log-level LEVEL    trace, debug, info (default), warning, error
  --log-format FORMAT  text (default) or json

options of check:
  --strict             treat warnings as errors
  --connect            also connect to every database and broker
  --json               print the problems as JSON

options of test:
  --filter TEXT        run only the tests whose name contains TEXT
  --coverage           list what no test goes through
  --json               print the results as JSON

options of run, check and test:
  --env-file FILE      read environment variables from FILE, except those that are set
  --dotenv             the same with the file .env, which need not exist

options of init:
  --template NAME      ${TEMPLATES.join(", ")} (default: ${TEMPLATES[0]})

options of health:
  --timeout DURATION   how long to wait for the answer (default: 5s)

  --help, --version

exit codes: 0 success, 1 invalid configuration, failed test or server that is not ready,
2 invalid usage, 3 failed start`;

/** The command line is invalid. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Stable, as every code of an error. */
  readonly code = "usage-error";
}

const LOG_LEVELS = ["trace", "debug", "info", "warning", "error"] as const;
const LOG_FORMATS = ["text", "json"] as const;

/** The lowest level that is logged. */
export type LogLevel = typeof LOG_LEVELS[number];
/** The format of log records. */
export type LogFormat = typeof LOG_FORMATS[number];

/** The arguments of every command that reads a configuration. */
export interface ReadingCommand {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly envFile: EnvFile | undefined;
}

/** A file of environment variables. */
export interface EnvFile {
  readonly path: string;
  /** A missing file is no error: `--dotenv`. */
  readonly optional: boolean;
}

/** `weir check`. */
export interface CheckCommand extends ReadingCommand {
  readonly name: "check";
  /** Warnings count as errors. */
  readonly strict: boolean;
  /** Connect to databases and brokers. */
  readonly connect: boolean;
  readonly json: boolean;
}

/** `weir test`. */
export interface TestCommand extends ReadingCommand {
  readonly name: "test";
  /** Only tests whose name contains this text; all if it is empty. */
  readonly filter: string;
  readonly coverage: boolean;
  readonly json: boolean;
}

/** `weir init`. */
export interface InitCommand {
  readonly name: "init";
  readonly folder: string;
  readonly template: typeof TEMPLATES[number];
}

/** `weir health`. */
export interface HealthCommand {
  readonly name: "health";
  /** As written. */
  readonly url: string;
  /** A duration, as written. */
  readonly timeout: string;
}

/** `weir run`. */
export interface RunCommand extends ReadingCommand {
  readonly name: "run";
  readonly watch: boolean;
  /** The number of processes. */
  readonly workers: number;
  /** Ports by the name of a connector. */
  readonly ports: Readonly<Record<string, number>>;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** A parsed command line. */
export type Command =
  | CheckCommand
  | TestCommand
  | InitCommand
  | HealthCommand
  | RunCommand
  | { readonly name: "help" }
  | { readonly name: "version" };

const FLAG = { type: "boolean" } as const;
const READING = { "env-file": { type: "string" }, dotenv: FLAG } as const;

/** The options of each command. */
const OPTIONS = {
  run: {
    ...READING,
    watch: FLAG,
    workers: { type: "string" },
    port: { type: "string", multiple: true },
    "log-level": { type: "string" },
    "log-format": { type: "string" },
  },
  check: { ...READING, strict: FLAG, connect: FLAG, json: FLAG },
  test: { ...READING, filter: { type: "string" }, coverage: FLAG, json: FLAG },
  init: { template: { type: "string" } },
  health: { timeout: { type: "string" } },
} as const;

type CommandName = keyof typeof OPTIONS;

/**
 * Parses a command line without the name of the program.
 *
 * @throws {UsageError} An option is unknown, or its value is invalid.
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
      const { filter = "", coverage = false, json = false } = values;
      return { name: "test", ...reading(values, positionals), filter, coverage, json };
    }
    case "init":
      return parseInit(rest);
    case "health":
      return parseHealth(rest);
    default:
      return parseRun(first === "run" ? rest : args);
  }
}

function parseRun(args: readonly string[]): RunCommand {
  const { values, positionals } = parse("run", args);
  const { watch = false } = values;
  const workers = parseWorkers(values.workers ?? "1");
  if (watch && workers > 1) throw new UsageError("--watch and --workers cannot be combined");
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
  if (folder === undefined || folder === "") {
    throw new UsageError("init needs a folder: weir init my-server");
  }
  if (second !== undefined) throw new UsageError(`init takes one folder; remove "${second}"`);
  return {
    name: "init",
    folder,
    template: choose("--template", values.template ?? TEMPLATES[0], TEMPLATES),
  };
}

function parseHealth(args: readonly string[]): HealthCommand {
  const { values, positionals: [url = TEMPLATE_URL, second] } = parse("health", args);
  if (second !== undefined) throw new UsageError(`health takes one URL; remove "${second}"`);
  return { name: "health", url, timeout: values.timeout ?? "5s" };
}

function reading(
  values: { readonly "env-file"?: string | undefined; readonly dotenv?: boolean | undefined },
  positionals: readonly string[],
): ReadingCommand {
  const paths = positionals.length === 0 ? [workingDirectory()] : positionals;
  // A script that has --dotenv can be started with another file.
  const path = values["env-file"];
  if (path !== undefined) return { paths, envFile: { path, optional: false } };
  return { paths, envFile: values.dotenv ? { path: ".env", optional: true } : undefined };
}

/** Returns the working directory. Throws a `UsageError` if it was removed. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new UsageError("the working directory does not exist; go to another one", { cause });
  }
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

/** Names the command that has the option, or a similar option. */
function hintFor(flag: string, flags: readonly string[]): string {
  const owners = Object.entries(OPTIONS)
    .filter(([, options]) => Object.hasOwn(options, flag.slice(2)))
    .map(([name]) => name);
  if (owners.length > 0) {
    return `it is an option of ${owners.join(", ").replace(/, (\w+)$/, " and $1")}`;
  }
  return didYouMean(flag, flags) ?? "see --help";
}

function parseWorkers(text: string): number {
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > MAX_WORKERS) {
    throw new UsageError(`--workers ${text}: must be a whole number from 1 to ${MAX_WORKERS}`);
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
    throw new UsageError(`--port ${text}: expected NAME=PORT with a port up to 65535`);
  }
  return [name, port];
}

function choose<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((word) => word === value);
  if (found === undefined) throw new UsageError(`${flag} must be one of ${known.join(", ")}`);
  return found;
}
