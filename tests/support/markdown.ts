/** The code blocks of a page in Markdown. */
import assert from "node:assert/strict";

/** All blocks of a language, in their order, with or without `ignore`. */
export function blocksOf(markdown: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}(?: ignore)?\\n([^]*?)^\`\`\`$`, "gm");
  return [...markdown.matchAll(pattern)].map(([, text]) => text);
}

/** The only block of a language. */
export function blockOf(markdown: string, language: string): string {
  const blocks = blocksOf(markdown, language);
  assert.equal(blocks.length, 1, `blocks of ${language}`);
  return blocks[0];
}
