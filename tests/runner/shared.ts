/** Several test files in one process: the module that imports them, and what of a report is whose. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A test of this name comes before those of the file that it names. */
const MARK = "begins: ";

/** Deno reports the tests of each module that has called `test` together, wherever their marks are. */
const ONE_CALLER = `if ("Deno" in globalThis) {
  const { test } = Deno;
  Deno.test = Object.assign((...given) => test(...given), test);
}`;

/**
 * Writes a module that imports `files`, which are relative to `root`, one after the other. A runtime
 * loads every file that it is given with all its imports anew. It reports a test with the module that
 * has called `test`, which may be a helper of several files: so a mark comes before those of each.
 */
export async function writeEntry(
  files: readonly string[],
  folder: string,
  root: string,
): Promise<string> {
  const entry = join(folder, "all.test.ts");
  const imports = files.map((file) => {
    const mark = JSON.stringify(`${MARK}${file}`);
    const module = JSON.stringify(pathToFileURL(join(root, file)));
    return `test(${mark}, () => {});
await import(${module}).catch((error) => {
  test("the file can be loaded", () => {
    throw error;
  });
});`;
  });
  const text = ['import { test } from "node:test";', ONE_CALLER, ...imports].join("\n");
  await writeFile(entry, `${text}\n`);
  return entry;
}

/** The part of a report that is about each file; a file whose mark did not run has none. */
export function splitReport(xml: string, files: readonly string[]): ReadonlyMap<string, string> {
  if (files.length === 1) return new Map([[files[0], xml]]);
  const parts = new Map<string, string>();
  // The text up to the first mark is about no file.
  const [, ...marked] = xml.split(/(?=<testcase\b[^>]*\bname="begins: )/);
  for (const part of marked) {
    const [, file] = /\bname="begins: ([^"]*)"/.exec(part) ?? [];
    const end = part.indexOf(">") + 1;
    // A runtime may write an element without content in two ways.
    const rest = part.slice(end).replace(/^\s*<\/testcase>/, "");
    if (files.includes(file)) parts.set(file, rest);
  }
  return parts;
}
