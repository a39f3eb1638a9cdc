/** Turns of phrase of other languages, and what expressions have. */

import { type Correction, each } from "./correction.ts";

/** `not x`, `x not in list`. */
export const negation = each((draft, at) => {
  if (!draft.isFree(at) || draft.at(at).toLowerCase() !== "not") return undefined;
  const next = draft.after(at);
  if (draft.at(next).toLowerCase() === "in") {
    const [start, end] = [draft.operandBefore(at), draft.operandAfter(next)];
    if (start === undefined || end === undefined) return undefined;
    const list = draft.text(next + 1, end).trim();
    draft.replace(start, end, `!(${draft.text(start, at).trim()} in ${list})`);
    return "not is written !";
  }
  const end = draft.clauseFrom(next);
  const clause = draft.text(next, end);
  // It would bind to the first value alone.
  const isCompared = draft.operandAfter(at) !== end;
  draft.replace(at, end, isCompared ? `!(${clause})` : `!${clause}`);
  return "not is written !";
});

/** `x is null`, `x is not null`. */
export const identity = each((draft, at) => {
  if (!draft.isFree(at) || draft.at(at).toLowerCase() !== "is" || at === 0) return undefined;
  const next = draft.after(at);
  const isNot = draft.at(next).toLowerCase() === "not";
  const value = isNot ? draft.after(next) : next;
  const isNull = draft.at(value).toLowerCase() === "null";
  draft.replace(at, isNull ? value + 1 : value, `${isNot ? "!=" : "=="} ${isNull ? "null" : ""}`);
  return `values are compared with ${isNot ? "!=" : "=="}`;
});

/** `x like '%text%'`. */
export const likeness = each((draft, at) => {
  const value = draft.after(at);
  if (!draft.isFree(at) || draft.at(at).toLowerCase() !== "like") return undefined;
  const start = draft.operandBefore(at);
  if (draft.kind(value) !== "text" || start === undefined) return undefined;
  const written = draft.at(value).slice(1, -1);
  const [before, after] = [written.startsWith("%"), written.endsWith("%")];
  const text = written.slice(before ? 1 : 0, after ? -1 : undefined);
  // A _ is any character.
  if (/[%_]/.test(text) || (!before && !after)) return undefined;
  const method = before && after ? "contains" : after ? "startsWith" : "endsWith";
  draft.replace(start, value + 1, `${draft.text(start, at).trim()}.${method}('${text}')`);
  return `${method}() looks into a text`;
});

/** `a ?? b`. */
export const fallback = each((draft, at) => {
  if (draft.at(at) !== "??") return undefined;
  const [start, end] = [draft.operandBefore(at), draft.operandAfter(at)];
  if (start === undefined || end === undefined) return undefined;
  // In other languages all of what is calculated before it belongs to it.
  if (/^(?:[-+*/%]|[<>=!]=?|==|!=|in)$/.test(draft.at(draft.before(start)))) return undefined;
  const other = draft.text(at + 1, end).trim();
  draft.replace(start, end, `default(${draft.text(start, at).trim()}, ${other})`);
  return "?? is written default()";
});

/** `x => …` and `(x) => …` in a call. */
export const arrow = each((draft, at) => {
  const end = draft.before(at);
  const isBracketed = draft.at(end) === ")" && draft.at(end - 2) === "(";
  const start = isBracketed ? end - 2 : end;
  const name = draft.at(isBracketed ? end - 1 : end);
  if (draft.at(at) !== "=>" || draft.at(draft.before(start)) !== "(") return undefined;
  draft.replace(start, draft.after(at), `${name}, `);
  return "the name of the item and a comma come first";
});

/** `typeof x`, also compared with a name in quotes. */
export const kind = each((draft, at) => {
  if (!draft.isFree(at) || draft.at(at) !== "typeof") return undefined;
  const end = draft.operandAfter(at);
  if (end === undefined) return undefined;
  const next = draft.replace(at, end, `type(${draft.text(at + 1, end).trim()})`);
  const sign = draft.after(next - 1);
  const value = draft.after(sign);
  const name = TYPES.get(draft.at(value).slice(1, -1));
  if (draft.kind(value) === "text" && name !== undefined) draft.replace(value, value + 1, name);
  return "typeof is written type()";
});

/** The types of JavaScript, as `typeof` returns them. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["string", "string"],
  ["number", "double"],
  ["boolean", "bool"],
  ["object", "map"],
]);

/** `if a then b else c`, `if (a) b else c`, `b if a else c`. */
export const choice: Correction = (draft) => {
  const find = (name: string) => {
    for (let at = 0; at < draft.length; at++) {
      if (draft.isFree(at) && draft.at(at).toLowerCase() === name) return at;
    }
    return undefined;
  };
  const [start, other] = [find("if"), find("else")];
  if (start === undefined || other === undefined || other < start) return undefined;
  const then = find("then");
  const middle = then ?? draft.operandAfter(start);
  if (start > 0) {
    const [yes, test] = [draft.text(0, start).trim(), draft.text(start + 1, other).trim()];
    draft.replace(0, other + 1, `${test} ? ${yes} :`);
  } else if (middle !== undefined && middle < other) {
    const test = draft.text(1, middle).trim();
    const yes = draft.text(then === undefined ? middle : middle + 1, other).trim();
    draft.replace(0, other + 1, `${test} ? ${yes} :`);
  }
  return "a choice is written condition ? one : other";
};

/** `{...input, seen: true}`. */
export const spread = each((draft, at) => {
  const first = draft.after(at);
  if (draft.at(at) !== "{" || draft.at(first) !== "...") return undefined;
  const [base = "", ...rest] = draft.items(at) ?? [];
  const end = draft.closing(at);
  if (end === undefined) return undefined;
  const others = rest.map((item) => item.startsWith("...") ? item.slice(3) : `{${item}}`);
  draft.replace(at, end + 1, `merge(${[base.slice(3), ...others].join(", ")})`);
  return "merge() joins objects";
});

/** `/pattern/.test(text)`. */
export const pattern = each((draft, at) => {
  const isStart = at === 0 || ["(", "!", "&&", "||"].includes(draft.at(draft.before(at)));
  if (draft.at(at) !== "/" || !isStart) return undefined;
  for (let end = at + 1; end < draft.length; end++) {
    if (draft.at(end) !== "/") continue;
    const dot = draft.kind(end + 1) === "word" ? end + 2 : end + 1;
    const [argument] = draft.items(dot + 2) ?? [];
    const close = draft.closing(dot + 2);
    if (draft.text(dot, dot + 3) !== ".test(" || argument === undefined || !close) continue;
    draft.replace(at, close + 1, `${argument}.matches(r'${draft.text(at + 1, end)}')`);
    return "matches() takes a pattern as a text";
  }
  return undefined;
});
