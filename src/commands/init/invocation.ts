/** How the `weir` command was started, for examples that can be pasted into a shell. */
import { relative } from "node:path";
import process from "node:process";

/** The words before a command's name, such as `deno run -A src/deno.ts`. */
export function weirCommand(): string {
  // Only Deno runs the package without files of its own.
  const program = import.meta.url.startsWith("file:")
    ? shellWord(nearest(process.argv[1]))
    : "jsr:@weir/runtime/cli";
  const { deno, bun } = process.versions;
  if (deno !== undefined) return `deno run -A ${program}`;
  // Weir reads a .env file where it is told to, on every runtime alike.
  return bun === undefined ? `node ${program}` : `bun --no-env-file ${program}`;
}

/** A word of a shell's command, in quotes where it needs them. */
export function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A path as one would type it in the working directory. */
function nearest(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
