/** The mistakes of beginners: what `weir check` prints for each file of a folder. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../src/base/errors.ts";
import { formatProblem, type Problem } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hasFolder } from "../../src/server/files.ts";

/** The folder of the files and of what is printed for them. */
export const mistakes: string = fileURLToPath(new URL("../snapshots/mistakes/", import.meta.url));

/** What is printed for all of them. */
export const printedFile: string = join(mistakes, "expected.txt");

/** The names of the files. */
export async function mistakeFiles(): Promise<readonly string[]> {
  return (await readdir(mistakes)).filter((name) => name.endsWith(".hcl")).sort();
}

/** The text of one file. */
export async function mistakeIn(name: string): Promise<string> {
  return await readFile(join(mistakes, name), "utf8");
}

/** The problems and warnings of a text, which stands for a file of that name. */
export async function problemsIn(path: string, text: string): Promise<readonly Problem[]> {
  const options = { env: () => undefined, hasFolder, embedded: false, inspect: true };
  try {
    return (await loadConfig([{ path, text, folder: mistakes }], options)).warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** What is printed for the problems of one file. */
export function printedFor(name: string, problems: readonly Problem[]): string {
  return `# ${name}\n${problems.map(formatProblem).join("\n")}\n`;
}
