/** Parses the command line. */
import process from "node:process";
import { parseArgs } from "node:util";
import { didYouMean } from "../base/nearest.ts";
import { MAX_WORKERS } from "../server/host.ts";
import { ADMIN_URL, TEMPLATE_URL, TEMPLATES } from "./usage.ts";

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

/** A question to a running server. */
interface AskingCommand {
  /** As written. */
  readonly url: string;
  /** A duration, as written. */
  readonly timeout: string;
  /** The token for the admin port; undefined for that of the environment. */
  readonly token: string | undefined;
}

/** `weir health`. */
export interface HealthCommand extends AskingCommand {
  readonly name: "health";
}

/** `weir status`. */
export interface StatusCommand extends AskingCommand {
  readonly name: "status";
}

/** `weir run`. */
export interface RunCommand extends ReadingCommand {
  readonly name: "run";
  readonly watch: boolean;
  /** The number of processes. */
  readonly workers: number;
  /** Ports by the name of a connector. */
  readonly ports: Readonly<Record<string, number>>;
  /** Undefined for that of the configuration. */
  readonly adminPort: number | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** A parsed command line. */
export type Command =
  | CheckCommand
  | TestCommand
  | InitCommand
  | HealthCommand
  | StatusCommand
  | RunCommand
  | { readonly name: "help" }
  | { readonly name: "version" };

const FLAG = { type: "boolean" } as const;
const READING = { "env-file": { type: "string" }, dotenv: FLAG } as const;
const ASKING = { timeout: { type: "string" }, token: { type: "string" } } as const;

/** The options of each command. */
const OPTIONS = {
  run: {
    ...READING,
    watch: FLAG,
    workers: { type: "string" },
    port: { type: "string", multiple: true },
    "admin-port": { type: "string" },
    "log-level": { type: "string" },
    "log-format": { type: "string" },
  },
  check: { ...READING, strict: FLAG, connect: FLAG, json: FLAG },
  test: { ...READING, filter: { type: "string" }, coverage: FLAG, json: FLAG },
  init: { template: { type: "string" } },
  health: ASKING,
  status: ASKING,
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
      return { name: "health", ...asking("health", rest, TEMPLATE_URL) };
    case "status":
      return { name: "status", ...asking("status", rest, ADMIN_URL) };
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
    adminPort: values["admin-port"] === undefined
      ? undefined
      : parseAdminPort(values["admin-port"]),
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

function asking(
  name: "health" | "status",
  args: readonly string[],
  defaultUrl: string,
): AskingCommand {
  const { values, positionals: [url = defaultUrl, second] } = parse(name, args);
  if (second !== undefined) throw new UsageError(`${name} takes one URL; remove "${second}"`);
  return { url, timeout: values.timeout ?? "5s", token: values.token };
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

function parseAdminPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (port <= 65535) return port;
  throw new UsageError(`--admin-port ${text}: must be a whole number from 0 to 65535`);
}

function choose<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((word) => word === value);
  if (found === undefined) throw new UsageError(`${flag} must be one of ${known.join(", ")}`);
  return found;
}
