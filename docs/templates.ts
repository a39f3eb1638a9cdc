/**
 * Writes src/commands/init/templates.ts: the examples as the templates of `weir init`, which has no
 * files on disk where the package comes from a registry. With `--check` it writes nothing and fails
 * where the file is stale.
 */
import { TEMPLATES } from "../src/commands/arguments.ts";
import { formatted, keepFile } from "./formatted.ts";

const examples = new URL("../examples/", import.meta.url);

/** The whole module. */
async function templatesModule(): Promise<string> {
  const texts = await Promise.all(TEMPLATES.map(async (name) => {
    const folder = new URL(`${name}/`, examples);
    const files = (await listFiles(folder)).sort();
    const pairs = files.map(async (file) => [file, await Deno.readTextFile(new URL(file, folder))]);
    return [name, Object.fromEntries(await Promise.all(pairs))] as const;
  }));
  return `/** The templates of \`weir init\`. Generated from examples/ by \`deno task docs\`. */
import type { TEMPLATES } from "../arguments.ts";

/** The text of every file of each template, by its path with slashes. */
export const templates: Readonly<
  Record<typeof TEMPLATES[number], Readonly<Record<string, string>>>
> = ${JSON.stringify(Object.fromEntries(texts))};
`;
}

/** Paths below a folder; what a server has written there is no part of a template. */
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
  const file = new URL("../src/commands/init/templates.ts", import.meta.url);
  await keepFile(
    file,
    await formatted(await templatesModule(), "ts"),
    "src/commands/init/templates.ts",
  );
}
