/** `weir init`: creates a configuration in a folder. */
import { lstat, mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { type InitCommand, UsageError } from "../arguments.ts";

/** The generated modules: `docs/templates.ts` writes them from the examples. */
const TEMPLATE_FILES = {
  chat: () => import("./templates/chat.ts"),
  dashboard: () => import("./templates/dashboard.ts"),
  notifications: () => import("./templates/notifications.ts"),
  iot: () => import("./templates/iot.ts"),
} satisfies Record<InitCommand["template"], unknown>;

/**
 * Writes the files of a template and prints the next steps. Returns the exit code.
 *
 * @throws {UsageError} One of the files exists, or the folder cannot be created.
 */
export async function init({ folder, template }: InitCommand): Promise<number> {
  const files = Object.entries((await TEMPLATE_FILES[template]()).files);
  for (const [path] of files) await refuseExisting(join(folder, path));
  try {
    for (const [path] of files) await mkdir(dirname(join(folder, path)), { recursive: true });
    for (const [path, text] of files) await writeFile(join(folder, path), text, { flag: "wx" });
  } catch (cause) {
    throw new UsageError(`cannot create ${folder}: ${(cause as Error).message}`, { cause });
  }
  console.log(`created ${folder} from the template "${template}":\n`);
  for (const [path] of files) console.log(`  ${join(folder, path)}`);
  const weir = weirCommand();
  const where = shellWord(folder);
  console.log(`
next:
  ${weir} run --watch ${where}
  ${weir} test ${where}

It listens on http://localhost:3000. ${join(folder, "README.md")} describes it.`);
  return 0;
}

async function refuseExisting(path: string): Promise<void> {
  const found = await lstat(path).catch(({ code, message }) => {
    // If a file is where a folder has to be, mkdir reports it.
    if (code === "ENOENT") return undefined;
    throw new UsageError(`cannot create ${path}: ${message}`);
  });
  if (found === undefined) return;
  throw new UsageError(`${path} already exists; init does not overwrite files`);
}

/** How `weir` was started, such as `deno run -A src/deno.ts`, to be pasted into a shell. */
function weirCommand(): string {
  // Only Deno runs the package without files on disk.
  const program = import.meta.url.startsWith("file:")
    ? shellWord(shortest(process.argv[1]))
    : "jsr:@weir/runtime/cli";
  const { deno, bun } = process.versions;
  if (deno !== undefined) return `deno run -A ${program}`;
  // Bun would load a .env file, which Weir does on no runtime.
  return bun === undefined ? `node ${program}` : `bun --no-env-file ${program}`;
}

/** A word of a shell command, quoted if it must be. */
function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Relative if the path is below the working directory. */
function shortest(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
