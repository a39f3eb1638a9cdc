/**
 * Writes the table of folders in docs/architecture.md from the first comment of each `mod.ts`. With
 * `--check` it writes nothing and fails if the table is stale.
 */
import { formatted, keepFile } from "./formatted.ts";

const SOURCE = new URL("../src/", import.meta.url);
const PAGE = new URL("./architecture.md", import.meta.url);
const BEGIN = "<!-- folders -->";
const END = "<!-- /folders -->";

interface Folder {
  /** Below `src`, such as `connectors/mq`. */
  readonly name: string;
  /** What it is for. */
  readonly purpose: string;
  /** The folders that it may import. */
  readonly imports: readonly string[];
}

/** Every folder with a rule: those in `src`, and each connector. */
async function readFolders(): Promise<Folder[]> {
  const folders = (await Promise.all([foldersIn(""), foldersIn("connectors/")])).flat();
  return byLayer(await Promise.all(folders.map(readFolder)));
}

async function foldersIn(parent: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(parent, SOURCE))) {
    if (isDirectory) names.push(`${parent}${name}`);
  }
  return names.sort();
}

async function readFolder(name: string): Promise<Folder> {
  const text = await Deno.readTextFile(new URL(`${name}/mod.ts`, SOURCE));
  const [, comment = ""] = /^\/\*\*([\s\S]*?)\*\//.exec(text) ?? [];
  const [purpose, ...others] = comment.split(/\n \*\s*\n/)
    .map((paragraph) => paragraph.replaceAll(/\n? \* ?/g, " ").replaceAll(/\s+/g, " ").trim());
  const rule = others.find((paragraph) => paragraph.startsWith("May import")) ?? "";
  return { name, purpose, imports: [...rule.matchAll(/[\w/]+(?=\/)/g)].map(([found]) => found) };
}

/** What imports nothing comes first, and each folder after all that it imports. */
function byLayer(folders: readonly Folder[]): Folder[] {
  const sorted: Folder[] = [];
  const left = new Set(folders);
  while (left.size > 0) {
    const next = [...left].filter(({ imports }) =>
      [...left].every(({ name }) => !imports.includes(name))
    );
    if (next.length === 0) throw new Error("the folders import each other in a circle");
    for (const folder of next) left.delete(folder);
    sorted.push(...next);
  }
  return sorted;
}

const rows = (await readFolders()).map(({ name, purpose, imports }) =>
  `| \`${name}/\` | ${purpose} | ${imports.map((other) => `\`${other}\``).join(", ")} |`
);
const table = ["| folder | purpose | may import |", "| --- | --- | --- |", ...rows].join("\n");
const page = await Deno.readTextFile(PAGE);
const [before] = page.split(BEGIN);
const [, after] = page.split(END);
await keepFile(
  PAGE,
  await formatted(`${before}${BEGIN}\n\n${table}\n\n${END}${after}`, "md"),
  "docs/architecture.md",
);
