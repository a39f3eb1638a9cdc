/**
 * `deno run -A bench/clients/report.ts` writes docs/client-comparison.md from
 * docs/performance/clients.json, bench/clients/comparison.md and the chats. With `--check` it writes
 * nothing and fails where the page is stale.
 */
import { formatted, keepFile } from "../../docs/formatted.ts";
import { readChats } from "./lines.ts";
import { pageOf } from "./page.ts";
import { readResults } from "./results.ts";

if (import.meta.main) {
  const text = await Deno.readTextFile(new URL("comparison.md", import.meta.url));
  const page = await formatted(pageOf(text, await readResults(), await readChats()), "md");
  const file = new URL("../../docs/client-comparison.md", import.meta.url);
  await keepFile(file, page, "docs/client-comparison.md", "deno run -A bench/clients/report.ts");
}
