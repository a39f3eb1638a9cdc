/**
 * The words of Mycel, the program that this configuration language comes from: what Weir calls
 * them, or what to use instead. Loaded only when a configuration has problems.
 *
 * May import base/ and hcl/.
 */
import type { Problem, ProblemCode } from "../base/problem.ts";
import type { Body } from "../hcl/tree.ts";
import { blockWords } from "./blocks.ts";
import { connectorWords } from "./connectors.ts";
import { expressionWords } from "./expressions.ts";
import { flowWords } from "./flows.ts";
import type { Places, Word } from "./words.ts";
import { positionKey, type Written, writtenIn } from "./written.ts";

export type { Places, Word, Words } from "./words.ts";

/** All words that Mycel has and Weir does not have in this form. */
export const MYCEL_WORDS: Places = {
  ...blockWords,
  ...connectorWords,
  ...flowWords,
  ...expressionWords,
};

/** Where the words are found that a problem underlines. */
const PLACES: ReadonlyMap<ProblemCode, string> = new Map<ProblemCode, string>([
  ["unknown-connector-type", "connector types"],
  ["unknown-function", "functions"],
  ["unknown-option", "type, field"],
  ["unknown-variable", "variables"],
]);

/**
 * The same problems. Where one is about a word of Mycel, the hint says what to write in Weir. What
 * is missing only because it has the name that Mycel uses is left out: one mistake is one problem.
 */
export function withMycelHints(problems: readonly Problem[], body: Body): Problem[] {
  const written = writtenIn(body);
  const renamed = new Set<string>();
  const hinted = problems.map((problem) => {
    const word = wordOf(problem, written);
    if (word === undefined) return problem;
    const [name] = /^\w+/.exec(word.write ?? "") ?? [];
    renamed.add(`${written.get(positionKey(problem))?.block} ${name}`);
    return { ...problem, hint: hintOf(word) };
  });
  return hinted.filter((problem) => {
    const [, name] = /^missing-.* needs the (?:attribute|block) "(\w+)"$/
      .exec(`${problem.code} ${problem.message}`) ?? [];
    return name === undefined || !renamed.has(`${positionKey(problem)} ${name}`);
  });
}

/** What a hint says of a word. */
export function hintOf({ write, note }: Word): string {
  const parts = [write && `write ${write}`, note?.replaceAll("`", "")];
  return parts.filter((part) => part !== undefined).join("; ");
}

function wordOf(problem: Problem, written: ReadonlyMap<string, Written>): Word | undefined {
  const code = problem.code as ProblemCode;
  const place = PLACES.get(code);
  if (place !== undefined) return find(place, underlined(problem).replaceAll('"', ""));
  if (code === "expression-syntax") {
    // A hint that is there shows the whole expression.
    if (problem.hint !== undefined) return undefined;
    return underlined(problem, 1).includes("??") ? find("operators", "??") : undefined;
  }
  const here = written.get(positionKey(problem));
  if (here === undefined) return undefined;
  switch (code) {
    case "unknown-attribute":
    case "unknown-block":
    case "invalid-type":
      return find(here.place, here.name);
    case "missing-attribute":
      return here.isProfiled ? find("connector", "profile {}") : undefined;
    case "invalid-operation":
    case "invalid-value":
    case "unknown-operation":
    case "unknown-type":
      return find(here.place, `${here.name} = ${shape(here.value)}`);
    default:
      return undefined;
  }
}

/** A value as the tables show it. */
function shape(value: unknown): string {
  if (Array.isArray(value)) return "[…]";
  return typeof value === "string" ? JSON.stringify(value) : "";
}

/** The text that a problem underlines, and a number of characters on each side of it. */
function underlined({ source, column, length }: Problem, around = 0): string {
  const from = source.slice(unitsOf(source, column - 1 - around));
  return from.slice(0, unitsOf(from, length + 2 * around));
}

/** The UTF-16 units of a number of characters. */
function unitsOf(text: string, characters: number): number {
  let at = 0;
  for (let count = 0; count < characters && at < text.length; count++) {
    at += (text.codePointAt(at) ?? 0) > 0xFFFF ? 2 : 1;
  }
  return at;
}

/** The word of a place. What all connectors have is at the place `connector`. */
function find(place: string, name: string): Word | undefined {
  for (const at of [place, place.replace(/^connector [^,]+/, "connector")]) {
    const words = Object.hasOwn(MYCEL_WORDS, at) ? MYCEL_WORDS[at] : {};
    if (Object.hasOwn(words, name)) return words[name];
    const open = Object.keys(words).find((word) =>
      word.endsWith('…"') && name.startsWith(word.slice(0, -2)) && name.length >= word.length
    );
    if (open !== undefined) return words[open];
  }
  return undefined;
}
