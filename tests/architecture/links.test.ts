/** The pages in Markdown: every link leads somewhere, and the index names every page. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join, posix } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import GithubSlugger from "github-slugger";
import { read, root } from "./graph.ts";

/** Their text is in pages of docs/, where their links lead somewhere. */
const PARTS: readonly string[] = ["bench/performance.md", "bench/clients/comparison.md"];

const pages = new Map<string, string>();
for (const file of await markdownFiles()) pages.set(file, await read(file));

test("every link of a page leads to a file, and to a heading where it has an anchor", async () => {
  assert.deepEqual(await problemsOf(pages), []);
});

test("a link that leads nowhere is found, with its page", async () => {
  const text = `# A page
[good](#a-page) [good](b.md#two-1) [good](../mod.ts) [good](https://example.com/x#y)
[a](c.md) [b](b.md#three) [c](#none) [over two
lines](../nowhere/)

\`\`\`md
[in a block](none.md)
\`\`\`

and \`[in code](none.md)\`.
`;
  const found = new Map([["docs/a.md", text], ["docs/b.md", "# `two`\n## [two](a.md)\n"]]);
  assert.deepEqual(await problemsOf(found), [
    "docs/a.md: there is no docs/c.md",
    "docs/a.md: docs/b.md has no heading #three",
    "docs/a.md: docs/a.md has no heading #none",
    "docs/a.md: there is no nowhere/",
  ]);
});

test("docs/README.md names every page of docs/", () => {
  const index = linksOf(pages.get("docs/README.md") ?? "").map((link) => link.split("#")[0]);
  const names = [...pages.keys()].filter((file) => /^docs\/[\w-]+\.md$/.test(file))
    .map((file) => posix.basename(file));
  assert.deepEqual(names.filter((name) => name !== "README.md" && !index.includes(name)), []);
});

/** What is wrong with the links of these pages. */
async function problemsOf(pages: ReadonlyMap<string, string>): Promise<string[]> {
  const problems: string[] = [];
  for (const [file, text] of pages) {
    for (const link of linksOf(text)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path, anchor] = link.split("#");
      const target = path === "" ? file : posix.join(posix.dirname(file), path);
      const page = pages.get(target);
      if (page === undefined && !await exists(target)) {
        problems.push(`${file}: there is no ${target}`);
      } else if (anchor !== undefined && !(page !== undefined && headingsOf(page).has(anchor))) {
        problems.push(`${file}: ${target} has no heading #${anchor}`);
      }
    }
  }
  return problems;
}

/** The targets of all links, but for those that are code. */
function linksOf(page: string): string[] {
  const prose = withoutBlocks(page).replaceAll(/`[^`]*`/g, "");
  return [...prose.matchAll(/\[[^\]]*\]\(([^()\s]+)\)/g)].map(([, target]) => target);
}

/** The anchors that GitHub and the registries make of the headings. */
function headingsOf(page: string): Set<string> {
  const slugger = new GithubSlugger();
  const headings = [...withoutBlocks(page).matchAll(/^#{1,6} (.+)$/gm)];
  return new Set(headings.map(([, heading]) => {
    const shown = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
    return slugger.slug(shown);
  }));
}

function withoutBlocks(page: string): string {
  return page.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}

/** The pages that git tracks or would track. */
async function markdownFiles(): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  const { stdout } = await promisify(execFile)("git", [...args, "*.md"], { cwd: root });
  const files = stdout.split("\0").filter((file) => file !== "" && !PARTS.includes(file));
  const present = await Promise.all(files.map(exists));
  return files.filter((_, index) => present[index]);
}

function exists(file: string): Promise<boolean> {
  return access(join(root, file)).then(() => true, () => false);
}
