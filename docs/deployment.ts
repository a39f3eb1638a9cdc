/**
 * Writes the files of deploy/ into docs/deployment.md, each after a comment such as
 * `<!-- file deploy/Dockerfile -->`. With `--check` it writes nothing and fails if the page is stale.
 */
import { formatted, keepFile } from "./formatted.ts";

const ROOT = new URL("../", import.meta.url);
const PAGE = new URL("./deployment.md", import.meta.url);
const PLACE = /^<!-- file (\S+) -->\n[^]*?^<!-- \/file -->$/gm;

/** The language of a code block, by the end of a file's name. */
const LANGUAGES: Readonly<Record<string, string>> = {
  Caddyfile: "caddyfile",
  Dockerfile: "dockerfile",
  conf: "nginx",
  dockerignore: "text",
  hcl: "hcl",
  service: "ini",
  yaml: "yaml",
};

/** The place of a file in the page, with its text. */
async function placeOf(path: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  const language = LANGUAGES[/[^./]+$/.exec(path)?.[0] ?? ""];
  if (language === undefined) throw new Error(`the language of ${path} is unknown`);
  return `<!-- file ${path} -->\n\n\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n\n<!-- /file -->`;
}

const page = await Deno.readTextFile(PAGE);
const places = new Map<string, string>();
for (const [place, path] of page.matchAll(PLACE)) places.set(place, await placeOf(path));
const filled = page.replaceAll(PLACE, (place) => places.get(place) ?? place);
await keepFile(PAGE, await formatted(filled, "md"), "docs/deployment.md");
