/**
 * Copies the files of `docs/templates/shared/` into the folder `public/` of each example that has one:
 * the design that all pages have, and the script that they start from. A project has to own its page
 * as a whole, so each gets a copy. With `--check` it writes nothing, and fails if a copy is stale.
 */
import { keepFile } from "../formatted.ts";

const source = new URL("./shared/", import.meta.url);
const examples = new URL("../../examples/", import.meta.url);

/** The text of each shared file, by its name. */
export async function sharedFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(source)) {
    files.set(name, await Deno.readTextFile(new URL(name, source)));
  }
  return files;
}

if (import.meta.main) {
  const files = await sharedFiles();
  for await (const { name: example } of Deno.readDir(examples)) {
    const folder = new URL(`${example}/public/`, examples);
    if (await Deno.stat(folder).catch(() => undefined) === undefined) continue;
    for (const [name, text] of files) {
      await keepFile(new URL(name, folder), text, `examples/${example}/public/${name}`);
    }
  }
}
