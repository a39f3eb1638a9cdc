/**
 * Rewrites `mistakes/expected.txt`: what `weir check` prints for each file of the folder `mistakes`.
 * Read the difference before you commit it: does each text name the cause and the fix?
 */
import { writeFile } from "node:fs/promises";
import {
  mistakeFiles,
  mistakeIn,
  printedFile,
  printedFor,
  problemsIn,
} from "../support/mistakes.ts";

const texts: string[] = [];
for (const name of await mistakeFiles()) {
  texts.push(printedFor(name, await problemsIn(name, await mistakeIn(name))));
}
await writeFile(printedFile, texts.join("\n"));
console.log(`${texts.length} mistakes`);
