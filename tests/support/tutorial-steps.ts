/** What docs/tutorial.md tells its reader to do, in the order of the page. */

import assert from "node:assert/strict";

/** One thing to do, or one thing to see. */
export type Step =
  /** A new file, or text at the end of one. */
  | { readonly kind: "write" | "add"; readonly file: string; readonly text: string }
  /** A block of a configuration in the place of the one with the same first line. */
  | { readonly kind: "replace"; readonly file: string; readonly text: string }
  /** A text in a file, in the place of another one. */
  | { readonly kind: "change"; readonly file: string; readonly from: string; readonly to: string }
  | { readonly kind: "start"; readonly command: string }
  | { readonly kind: "stop" }
  | { readonly kind: "run"; readonly commands: readonly string[] }
  /** The exit code of the last command, whose output the server has printed as well. */
  | { readonly kind: "same"; readonly code: number }
  /** The output of the server since the last change, or of the last commands. */
  | { readonly kind: "server" | "output"; readonly text: string }
  /** What is opened in two tabs of a browser: addresses, or none for those that commands printed. */
  | { readonly kind: "open"; readonly urls: readonly string[] }
  | { readonly kind: "say"; readonly tab: number; readonly text: string }
  | { readonly kind: "reload" }
  | { readonly kind: "close"; readonly tab: number }
  /** What each open tab shows: a message, its heading, or its status. */
  | { readonly kind: "message" | "heading" | "status"; readonly text: string };

/** Sentences, each with what it tells. A sentence that ends with a colon tells what its block is. */
const SENTENCES: ReadonlyArray<
  readonly [sentence: RegExp, read: (...groups: readonly string[]) => Step]
> = [
  [
    /[Ii]n `([^`]+)`, change `([^`]+)` to `([^`]+)`/g,
    (file, from, to) => ({ kind: "change", file, from, to }),
  ],
  [/Press Ctrl-C in the first terminal/g, () => ({ kind: "stop" })],
  [/prints the same error, and its exit code is (\d)/g, (code) => ({
    kind: "same",
    code: Number(code),
  })],
  [/Open <(\S+)> in one tab and <(\S+)> in another/g, (...urls) => ({ kind: "open", urls })],
  [/Open both addresses, each in a tab/g, () => ({ kind: "open", urls: [] })],
  [/[Ww]rite `([^`]+)` (in the first tab|as the agent)/g, (text, place) => ({
    kind: "say",
    tab: place === "as the agent" ? 1 : 0,
    text,
  })],
  [/Reload (?:a tab|both tabs)/g, () => ({ kind: "reload" })],
  [/[Bb]oth tabs say `(\w+)`/g, (text) => ({ kind: "status", text })],
  [/Close the tab of the agent/g, () => ({ kind: "close", tab: 1 })],
];

const BLOCKS: ReadonlyArray<
  readonly [ending: RegExp, read: (text: string, file: string) => Step]
> = [
  [/[Ww]rite `([^`]+)`:$/, (text, file) => ({ kind: "write", file, text })],
  [/[Aa]dd to the end of `([^`]+)`:$/, (text, file) => ({ kind: "add", file, text })],
  [
    /[Ii]n `([^`]+)`, replace the \w+ `\w+`:$/,
    (text, file) => ({ kind: "replace", file, text }),
  ],
  [/[Tt]he first terminal prints.*:$/, (text) => ({ kind: "server", text })],
  [/[Bb]oth tabs show:$/, (text) => ({ kind: "message", text })],
  [/[Tt]he heading of .*:$/, (text) => ({ kind: "heading", text })],
];

/** A block of code, with its language and its text, or a paragraph. */
const PARTS = /^```(\w*)\n([^]*?)^```$|^(?:.+\n)*.+$/gm;

/** Every step of the page. Fails where a block has a sentence before it that nobody knows. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  /** The paragraph before a block; empty where a block follows a block. */
  let introduction = "";
  for (const [part, language, block] of page.matchAll(PARTS)) {
    if (block === undefined) {
      introduction = part.replaceAll("\n", " ");
      steps.push(...told(introduction));
    } else {
      steps.push(stepOf(introduction, language, block, steps.at(-1)));
      introduction = "";
    }
  }
  return steps;
}

/** What the sentences of a paragraph tell, in their order. */
function told(paragraph: string): Step[] {
  return SENTENCES.flatMap(([sentence, read]) =>
    [...paragraph.matchAll(sentence)].map((found) => ({
      index: found.index,
      step: read(...found.slice(1)),
    }))
  ).sort((one, other) => one.index - other.index).map(({ step }) => step);
}

function stepOf(introduction: string, language: string, text: string, before?: Step): Step {
  for (const [ending, read] of BLOCKS) {
    const found = ending.exec(introduction);
    if (found !== null) return read(text, found[1]);
  }
  if (language === "text") {
    assert.ok(introduction === "" && before?.kind === "run", `whose output is this?\n${text}`);
    return { kind: "output", text };
  }
  assert.equal(language, "sh", `what is this block for?\n${text}`);
  const commands = text.replaceAll(/\s*\\\n\s*/g, " ").trimEnd().split("\n");
  const [command] = commands;
  return command.startsWith("weir run") ? { kind: "start", command } : { kind: "run", commands };
}
