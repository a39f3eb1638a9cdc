/**
 * Writes files of the repository into the pages that show them, each after a comment such as
 * `<!-- file deploy/Dockerfile -->`. With `--check` it writes nothing and fails if a page is stale.
 */
import { formatted, keepFile } from "./formatted.ts";

const ROOT = new URL("../", import.meta.url);
const PAGES: readonly string[] = [
  "docs/deployment.md",
  "docs/monitoring.md",
  "docs/write-a-connector.md",
];
const PLACE = /^<!-- file (\S+) -->\n[^]*?^<!-- \/file -->$/gm;

/** The language of a code block, by the end of a file's name. */
const LANGUAGES: Readonly<Record<string, string>> = {
  Caddyfile: "caddyfile",
  Dockerfile: "dockerfile",
  conf: "nginx",
  dockerignore: "text",
  hcl: "hcl",
  service: "ini",
  // "ignore" keeps them from `deno test --doc`: they import files that are beside them.
  ts: "ts ignore",
  yaml: "yaml",
  yml: "yaml",
};

/** The place of a file in the page, with its text. */
async function placeOf(path: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  const language = LANGUAGES[/[^./]+$/.exec(path)?.[0] ?? ""];
  if (language === undefined) throw new Error(`the language of ${path} is unknown`);
  return `<!-- file ${path} -->\n\n\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n\n<!-- /file -->`;
}

for (const name of PAGES) {
  const url = new URL(name, ROOT);
  const page = await Deno.readTextFile(url);
  const places = new Map<string, string>();
  for (const [place, path] of page.matchAll(PLACE)) places.set(place, await placeOf(path));
  const filled = page.replaceAll(PLACE, (place) => places.get(place) ?? place);
  await keepFile(url, await formatted(filled, "md"), name);
}
