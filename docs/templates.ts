/**
 * Writes src/commands/init/templates.ts: the examples as the templates of `weir init`, which has no
 * files on disk where the package comes from a registry. With `--check` it writes nothing and fails
 * where the file is stale.
 */
import { TEMPLATES } from "../src/commands/arguments.ts";

const examples = new URL("../examples/", import.meta.url);

/** The whole module. */
async function templatesModule(): Promise<string> {
  const texts = await Promise.all(TEMPLATES.map(async (name) => {
    const folder = new URL(`${name}/`, examples);
    const files = (await listFiles(folder)).sort();
    const pairs = files.map(async (file) => [file, await Deno.readTextFile(new URL(file, folder))]);
    return [name, Object.fromEntries(await Promise.all(pairs))] as const;
  }));
  return `/** The templates of \`weir init\`. Generated from examples/ by \`deno run -A docs/templates.ts\`. */
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

/** The text as `deno fmt` leaves it, so that the file is stable under it. */
async function formatted(text: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=ts", "--line-width=100", "-"],
    stdin: "piped",
    stdout: "piped",
  });
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await process.output()).stdout);
}

if (import.meta.main) {
  const file = new URL("../src/commands/init/templates.ts", import.meta.url);
  const text = await formatted(await templatesModule());
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(file, text);
  } else if (await Deno.readTextFile(file).catch(() => "") !== text) {
    console.error("src/commands/init/templates.ts is stale: run `deno run -A docs/templates.ts`");
    Deno.exit(1);
  }
}
