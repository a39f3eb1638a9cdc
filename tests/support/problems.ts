/** Problems in tests: a test states place and code, and one snapshot holds all sentences. */
import { appendFileSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Problem } from "../../src/base/problem.ts";

/** What a problem says in words. */
export interface Sentence extends Pick<Problem, "code" | "message"> {
  readonly hint?: string | undefined;
}

/** The snapshot, which `tests/snapshots/update.ts` rewrites. */
export const snapshotFile: string = fileURLToPath(
  new URL("../snapshots/problems.txt", import.meta.url),
);

/** Where an update collects sentences instead of comparing them, one as JSON on each line. */
const collected = process.env.WEIR_COLLECT_SENTENCES;

/** A problem as `file:line:column+length code`. Fails where the snapshot lacks its sentence. */
export function placed(problem: Problem): string {
  checkSentence(problem);
  return place(problem);
}

/** The code of a problem. Fails where the snapshot lacks its sentence. */
export function codeOf(problem: Partial<Sentence> & Pick<Sentence, "message">): string {
  const sentence = { code: "connector-rule", ...problem };
  checkSentence(sentence);
  return sentence.code;
}

/** A problem as `file:line:column+length code`, whatever it says. */
export function place({ file, line, column, length, code }: Problem): string {
  return `${file}:${line}:${column}+${length} ${code}`;
}

/** Fails where the snapshot lacks the message with its hint below the code. */
export function checkSentence({ code, message, hint }: Sentence): void {
  if (collected !== undefined) {
    appendFileSync(collected, `${JSON.stringify({ code, message, hint })}\n`);
    return;
  }
  known ??= keysIn(readFileSync(snapshotFile, "utf8"));
  if (known.has(keyOf({ code, message, hint }))) return;
  throw new Error(
    `tests/snapshots/problems.txt has no such sentence below [${code}]:\n${message}\n` +
      `${hint === undefined ? "" : `${HINT}${hint}\n`}` +
      "If it is right, run: deno run -A tests/snapshots/update.ts",
  );
}

let known: ReadonlySet<string> | undefined;

/** A problem that a command has printed. */
export interface PrintedProblem {
  readonly code: string;
  readonly message: string;
  /** `file:line:column`, or a file; empty where no file is to blame. */
  readonly where: string;
}

/** The problems that a command has printed. Fails if one cannot be read. */
export function printed(output: string): PrintedProblem[] {
  const problem =
    /^(?:error|warning)\[([^\]]*)\]: (.*)(?:\n *┌ (\S+))?(?:\n.*\n *│ \s*\^+(?: (.*))?$|\n {2}= (.*))?/;
  const texts = output.split(/\n\n(?=error|warning)/).filter((text) =>
    /^(error|warning)\b/.test(text)
  );
  return texts.map((text) => {
    const found = problem.exec(text);
    if (found === null) throw new Error(`not a problem: ${text}`);
    const [, code, message, where = "", ...hints] = found;
    checkSentence({ code, message, hint: hints.find((hint) => hint !== undefined) });
    return { code, message, where };
  });
}

/** The text of a snapshot, to which `older` adds: sorted by code and message, each sentence once. */
export function format(sentences: readonly Sentence[], older = ""): string {
  const lines = new Set([...keysIn(older), ...sentences.map(keyOf)]);
  const sections = Map.groupBy([...lines].sort(), (key) => key.slice(0, key.indexOf("\n")));
  const head = "# Every sentence of a problem that the tests meet, by code. To update it, run:\n" +
    "# deno run -A tests/snapshots/update.ts";
  const texts = [...sections].map(([section, keys]) =>
    `${section}\n${keys.map((key) => key.slice(section.length + 1)).join("\n")}`
  );
  return `${[head, ...texts].join("\n\n")}\n`;
}

/** The keys of the sentences in a snapshot. */
function keysIn(text: string): ReadonlySet<string> {
  const keys: string[] = [];
  let section = "";
  for (const line of text.split("\n")) {
    if (/^\[[^\]]*\]$/.test(line)) section = line;
    else if (line.startsWith(HINT)) keys.push(`${keys.pop()}\n${line}`);
    else if (line !== "" && !line.startsWith("#")) keys.push(`${section}\n${line}`);
  }
  return new Set(keys);
}

const HINT = "    = ";

/** The section, the message in one line, and the hint in another where there is one. */
function keyOf({ code, message, hint }: Sentence): string {
  const line = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `[${code}]\n${line(message)}${hint === undefined ? "" : `\n${HINT}${line(hint)}`}`;
}
