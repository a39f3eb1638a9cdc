/**
 * What to write instead of what other languages have: `===`, `and`, `` `…` ``, `.toUpperCase()`. A
 * hint shows the whole expression, and only one that can be compiled.
 */

import { attributeOf, joined, literalOf } from "../../base/expression-text.ts";
import { call, environment, remark, time } from "./calls.ts";
import type { Correction } from "./correction.ts";
import {
  arrow,
  choice,
  fallback,
  identity,
  kind,
  likeness,
  negation,
  pattern,
  spread,
} from "./phrases.ts";
import { Draft } from "./pieces.ts";
import { dash, increment, key, members, range, root, selection, sign, word } from "./signs.ts";
import { escaped, isProse } from "./texts.ts";

/** All corrections, in the order in which they are made. */
const CORRECTIONS: readonly Correction[] = [
  pattern,
  environment,
  time,
  kind,
  identity,
  negation,
  likeness,
  members,
  choice,
  arrow,
  fallback,
  spread,
  key,
  selection,
  dash,
  increment,
  call,
  sign,
  word,
  root,
  range,
];

/** A longer text is not corrected: it is hard to read in a hint. */
const LONGEST = 200;

/** Another text, and the reason for it. */
interface Proposal {
  readonly text: string;
  readonly reason: string;
}

/**
 * The hint for a text that cannot be compiled; undefined where nothing helps. `compiles` says whether
 * another text can. `known` is the hint so far, which a text that can be compiled replaces.
 */
export function correctionOf(
  text: string,
  compiles: (text: string) => boolean,
  known: string | undefined,
): string | undefined {
  if (text.length > LONGEST || text.includes("\n")) return known;
  for (const { text: proposed, reason } of proposals(text)) {
    if (compiles(proposed)) return `${reason}; write ${attributeOf(proposed)}`;
  }
  return known ?? remark(new Draft(text)) ?? unclosed(text) ?? textOf(text, compiles);
}

function* proposals(text: string): Generator<Proposal> {
  const template = joined(text);
  if (template !== undefined) {
    const reason = template.includes("'")
      ? "a text is in single quotes, and + joins texts"
      : "a value needs no braces";
    yield { text: template, reason };
  }
  const all = corrected(text, CORRECTIONS);
  if (all === undefined) {
    const reason = "a quote inside of a text has a backslash";
    if (escaped(text) !== text) yield { text: escaped(text), reason };
    return;
  }
  yield all;
  for (const correction of CORRECTIONS) {
    const one = corrected(text, [correction]);
    if (one !== undefined) yield one;
  }
}

/** The text with some corrections; undefined where none of them applies. */
function corrected(text: string, corrections: readonly Correction[]): Proposal | undefined {
  const draft = new Draft(text);
  const reasons = new Set(corrections.map((correct) => correct(draft)));
  reasons.delete(undefined);
  if (reasons.size === 0) return undefined;
  return { text: draft.text(), reason: [...reasons].slice(0, 2).join(", and ") };
}

/** The bracket that nothing closes. */
function unclosed(text: string): string | undefined {
  const draft = new Draft(text);
  const at = draft.unclosed.at(-1);
  if (at === undefined) return undefined;
  const name = draft.kind(at - 1) === "word" ? draft.at(at - 1) : "";
  return `nothing closes "${name}${draft.at(at)}"`;
}

/** Words that have lost their quotes. */
function textOf(text: string, compiles: (text: string) => boolean): string | undefined {
  const trimmed = text.trim();
  if (/^[A-Za-z_]\w*$/.test(trimmed) && compiles(`input.${trimmed}`)) {
    return `for the text, write ${attributeOf(literalOf(trimmed))}; ` +
      `for a field of the event, write ${attributeOf(`input.${trimmed}`)}`;
  }
  if (!isProse(trimmed)) return undefined;
  return `a text needs single quotes, too; write ${attributeOf(literalOf(trimmed))}`;
}
