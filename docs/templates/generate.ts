/**
 * Writes src/commands/init/templates/: the examples as modules, since a package from a registry has
 * no files on disk that `weir init` could copy. What all pages share is in a module of its own. A
 * project gets the README of its example with another section "Start", and a .env.example. With
 * `--check` it writes nothing, and fails if a module is stale.
 */
import { TEMPLATES } from "../../src/commands/usage.ts";
import { OLDEST_NODES } from "../../src/server/node-version.ts";
import { formatted, keepFile } from "../formatted.ts";
import { envExample } from "./env-example.ts";
import { sharedFiles } from "./shared.ts";

const root = new URL("../../", import.meta.url);
const folder = "src/commands/init/templates";

/** The section of an example's README that says how to start it from a checkout. */
const START = /^## Start\n[^]*?(?=^## )/m;

/** The module of one template. Each line of a file is a line of the module. */
async function templateModule(name: string, shared: ReadonlySet<string>): Promise<string> {
  const example = new URL(`examples/${name}/`, root);
  const files = new Map<string, string>();
  for (const path of await listFiles(example)) {
    if (shared.has(path)) continue;
    files.set(path, await Deno.readTextFile(new URL(path, example)));
  }
  files.set("README.md", await projectReadme(name, files.get("README.md") ?? ""));
  files.set(".env.example", envExample(name, files));
  return moduleOf(`examples/${name}/`, files);
}

/** A module with the texts of files. */
function moduleOf(origin: string, files: ReadonlyMap<string, string>): string {
  const entries = [...files].sort(([a], [b]) => a < b ? -1 : 1).map(([path, text]) =>
    `${JSON.stringify(path)}: \`${text.replaceAll(/[`\\]|\$(?=\{)/g, "\\$&")}\``
  );
  return `// @generated from ${origin} by \`deno task docs\`. Do not edit.

/** The text of every file, by its path with slashes. */
export const files: Readonly<Record<string, string>> = {
${entries.join(",\n")}
};
`;
}

/** The README of an example, for a project outside of the checkout. */
async function projectReadme(name: string, readme: string): Promise<string> {
  if (!START.test(readme)) throw new Error(`examples/${name}/README.md has no section "Start"`);
  const start = await Deno.readTextFile(new URL("./start.md", import.meta.url));
  const [lts, newest] = OLDEST_NODES.map((version) => version.replace(/\.0$/, ""));
  const section = start.replace("NODE_22", lts).replace("NODE_24", newest);
  return readme.replace(START, () => `${section}\n`);
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
  const shared = new Map(
    [...await sharedFiles()].map(([name, text]) => [`public/${name}`, text] as const),
  );
  const modules = new Map([["shared", moduleOf("docs/templates/shared/", shared)]]);
  for (const name of TEMPLATES) {
    modules.set(name, await templateModule(name, new Set(shared.keys())));
  }
  for (const [name, text] of modules) {
    const path = `${folder}/${name}.ts`;
    await keepFile(new URL(path, root), await formatted(text, "ts"), path);
  }
}
