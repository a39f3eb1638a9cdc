/** The commands that a README tells its reader to run. */

import assert from "node:assert/strict";

/** One command, or one script. */
export interface Instruction {
  /** The language of its code block: `sh` or `js`. */
  readonly language: string;
  /** A command without its comment and on one line; the whole text of a script. */
  readonly text: string;
}

/** Every line of the `sh` blocks, and every `js` block, in the order of the text. */
export function instructionsOf(markdown: string): Instruction[] {
  const blocks = [...markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm)];
  assert.equal(blocks.length * 2, markdown.match(/^```/gm)?.length ?? 0, "a block is open");
  return blocks.flatMap(([, language, text]) => {
    if (language !== "sh") return [{ language, text }];
    return text.replaceAll(/\s*\\\n\s*/g, " ").split("\n")
      .map((line) => line.replace(/(?:^|\s+)#\s.*$/, "").trim())
      .filter((line) => line !== "")
      .map((line) => ({ language, text: line }));
  });
}

/** The text of a section, without its heading. */
export function sectionOf(markdown: string, heading: string): string {
  const [, text] = markdown.split(`\n## ${heading}\n`);
  assert.ok(text !== undefined, `no section "${heading}"`);
  return text.split("\n## ")[0];
}
