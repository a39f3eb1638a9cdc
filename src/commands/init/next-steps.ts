/** The commands that start a new project, for the way in which `weir init` itself was started. */
import { delimiter, isAbsolute, join, relative, resolve } from "node:path";
import { realpathSync } from "node:fs";
import process from "node:process";

/** How the command was started. */
export type Origin = "checkout" | "executable" | "deno" | "bun" | "npm" | "pnpm" | "yarn";

/** What tells how it was started. */
export interface Start {
  /** The URL of the command; an executable has none. */
  readonly command: string | undefined;
  /** `process.versions`. */
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** `npm_config_user_agent`, which npx, bunx and scripts of a package.json have. */
  readonly userAgent: string | undefined;
}

/** Returns how the command was started. */
export function originOf({ command, versions, userAgent = "" }: Start): Origin {
  if (command === undefined) return "executable";
  // A package of npm contains JavaScript, and JSR has no files.
  if (command.startsWith("file:") && command.endsWith(".ts")) return "checkout";
  if (versions.deno !== undefined) return "deno";
  if (versions.bun !== undefined) return "bun";
  const [, manager] = /^(bun|pnpm|yarn)\//.exec(userAgent) ?? [];
  return manager as Origin | undefined ?? "npm";
}

/** The lines to paste into a shell, in the working directory. */
export function nextSteps(origin: Origin, folder: string): string[] {
  if (origin === "checkout") {
    const weir = checkoutCommand();
    const where = shellWord(folder);
    return [`${weir} run --watch ${where}`, `${weir} test ${where}`];
  }
  const enter = resolve(folder) === process.cwd() ? [] : [`cd ${shellWord(folder)}`];
  return [...enter, ...START[origin] ?? [`${executableCommand(folder)} run --dotenv`]];
}

const START: Readonly<Partial<Record<Origin, readonly string[]>>> = {
  deno: ["deno task start"],
  bun: ["bun install", "bun run start"],
  npm: ["npm install", "npm start"],
  pnpm: ["pnpm install", "pnpm start"],
  yarn: ["yarn install", "yarn start"],
};

/** How `weir` was started from a checkout, such as `deno run -A src/cli.ts`. */
function checkoutCommand(): string {
  const { deno, bun } = process.versions;
  const program = shellWord(shortest(process.argv[1], process.cwd()));
  if (deno !== undefined) return `deno run -A ${program}`;
  // Bun would load a .env file, which Weir does on no runtime.
  return bun === undefined ? `node ${program}` : `bun --no-env-file ${program}`;
}

/** How a shell in `folder` finds this executable. */
function executableCommand(folder: string): string {
  const program = process.execPath;
  const folders = (process.env.PATH ?? "").split(delimiter).filter(isAbsolute);
  if (folders.some((each) => isSame(join(each, "weir"), program))) return "weir";
  return shellWord(shortest(program, resolve(folder)));
}

function isSame(path: string, other: string): boolean {
  try {
    return realpathSync(path) === realpathSync(other);
  } catch {
    return false; // No such file.
  }
}

/** The path from a folder, if that is shorter. A shell looks for a name without a slash on PATH. */
function shortest(path: string, from: string): string {
  const short = relative(from, path);
  const word = /[\\/]/.test(short) ? short : `./${short}`;
  return word.length < path.length ? word : path;
}

/** A word of a shell command, quoted if it must be. */
export function shellWord(text: string): string {
  const word = text.startsWith("-") ? `./${text}` : text;
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
