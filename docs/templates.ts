/**
 * Writes src/commands/init/templates/: the examples as modules, since a package from a registry has
 * no files on disk that `weir init` could copy. With `--check` it writes nothing, and fails if a
 * module is stale.
 */
import { TEMPLATES } from "../src/commands/arguments.ts";
import { formatted, keepFile } from "./formatted.ts";

const examples = new URL("../examples/", import.meta.url);
const folder = "src/commands/init/templates";

/** The module of one template. Each line of a file is a line of the module. */
async function templateModule(name: string): Promise<string> {
  const example = new URL(`${name}/`, examples);
  const files = (await listFiles(example)).sort();
  const entries = await Promise.all(files.map(async (file) => {
    const text = await Deno.readTextFile(new URL(file, example));
    return `${JSON.stringify(file)}: \`${text.replaceAll(/[`\\]|\$(?=\{)/g, "\\$&")}\``;
  }));
  return `// @generated from examples/${name}/ by \`deno task docs\`. Do not edit.

/** The text of every file, by its path with slashes. */
export const files: Readonly<Record<string, string>> = {
${entries.join(",\n")}
};
`;
}

/** Paths below a folder, without hidden files and without what a server has written there. */
async function listFiles(folder: URL, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (name.startsWith(".") || name === "data") continue;
    if (!isDirectory) paths.push(prefix + name);
    else paths.push(...await listFiles(new URL(`${name}/`, folder), `${prefix}${name}/`));
  }
  return paths;
}

if (import.meta.main) {
  for (const name of TEMPLATES) {
    const path = `${folder}/${name}.ts`;
    const text = await formatted(await templateModule(name), "ts");
    await keepFile(new URL(`../${path}`, import.meta.url), text, path);
  }
}
