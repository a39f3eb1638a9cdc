/** Signs and single words of other languages, and what expressions have. */

import { each } from "./correction.ts";
import { ROOTS, SIGNS, WORDS } from "./words.ts";

/** `===`, `=`, `?.`. */
export const sign = each((draft, at) => {
  const found = draft.kind(at) === "sign" ? SIGNS.get(draft.at(at)) : undefined;
  if (found === undefined) return undefined;
  draft.replace(at, at + 1, found.text);
  return found.reason;
});

/** `and`, `None`, `True`, and `now` without its brackets. */
export const word = each((draft, at) => {
  if (!draft.isFree(at)) return undefined;
  const name = draft.at(at);
  if (["now", "uuid", "random"].includes(name) && draft.at(at + 1) !== "(") {
    draft.replace(at, at + 1, `${name}()`);
    return `${name}() is a function`;
  }
  const found = WORDS.get(name);
  if (found === undefined) return undefined;
  draft.replace(at, at + 1, found.text);
  return found.reason;
});

/** `message.text`, `this.input.text`, `$.text`, `$input`. */
export const root = each((draft, at) => {
  if (draft.at(at) === "$") {
    const dot = draft.at(at + 1) === "." ? 1 : 0;
    const isVariable = ["input", "client", "step", "output"].includes(draft.at(at + 1 + dot));
    draft.replace(at, at + 1 + dot, isVariable ? "" : "input.");
    return "variables have no $, and the event is called input";
  }
  const found = draft.isFree(at) && draft.at(at + 1) === "." && draft.kind(at + 2) === "word"
    ? ROOTS.get(draft.at(at))
    : undefined;
  if (found === undefined) return undefined;
  if (draft.at(at + 2) === "input") draft.replace(at, at + 2, "");
  else draft.replace(at, at + 1, found.text);
  return found.reason;
});

/** `{ name: value }`. */
export const key = each((draft, at) => {
  const isFirst = ["{", ","].includes(draft.at(draft.before(at)));
  if (draft.kind(at) !== "word" || !isFirst || draft.at(draft.after(at)) !== ":") return undefined;
  draft.replace(at, at + 1, `'${draft.at(at)}'`);
  return "a key is a text in single quotes";
});

/** `['name']field`. */
export const selection = each((draft, at) => {
  if (draft.at(at) !== "]" || draft.kind(at + 1) !== "word") return undefined;
  draft.replace(at, at + 1, "].");
  return "a dot selects a field";
});

/** `input.user-name`. */
export const dash = each((draft, at) => {
  if (draft.at(at) !== "." || draft.kind(at + 1) !== "word") return undefined;
  let end = at + 2;
  while (draft.at(end) === "-" && draft.kind(end + 1) === "word") end += 2;
  if (end === at + 2) return undefined;
  draft.replace(at, end, `['${draft.text(at + 1, end)}']`);
  return "a name with a dash is in brackets";
});

/** `input.count++`. */
export const increment = each((draft, at) => {
  if (draft.at(at) !== "++") return undefined;
  draft.replace(at, at + 1, " + 1");
  return "an expression changes nothing";
});

/** `1 < x && < 5`. */
export const range = each((draft, at) => {
  const comparison = draft.before(draft.operandBefore(at) ?? 0);
  const isChain = draft.at(at) === "&&" && /^[<>]=?$/.test(draft.at(draft.after(at)));
  const start = draft.operandBefore(comparison);
  if (!isChain || start === undefined) return undefined;
  draft.replace(at, at + 1, `&& ${draft.text(start, comparison).trim()}`);
  return "each comparison names both sides";
});

/** `x in ('a', 'b')`. */
export const members = each((draft, at) => {
  const open = draft.after(at);
  if (draft.at(at) !== "in" || draft.at(open) !== "(") return undefined;
  const items = draft.items(open);
  const end = draft.closing(open);
  if (items === undefined || end === undefined || items.length < 2) return undefined;
  draft.replace(open, end + 1, `[${items.join(", ")}]`);
  return "a list is in [ ]";
});
