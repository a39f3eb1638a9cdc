/** Calls of other languages, and what expressions have. */

import { type Correction, each } from "./correction.ts";
import { ABSENT, functionFor, LIBRARIES } from "./words.ts";

/** `new Date()`, `Date.now()`. */
export const time = each((draft, at) => {
  const isNew = draft.isFree(at) && draft.at(at) === "new" && draft.at(draft.after(at)) === "Date";
  const isNow = draft.isFree(at) && ["Date", "time", "datetime"].includes(draft.at(at)) &&
    /^\.now$/i.test(draft.text(at + 1, at + 3));
  const open = isNew ? draft.after(at) + 1 : at + 3;
  if ((!isNew && !isNow) || draft.at(open) !== "(") return undefined;
  draft.replace(at, open, "now");
  return "now() returns the time";
});

/** `JSON.stringify(x)`, `concat(a, b)`, `format('…', a, b)`, and calls with other names. */
export const call = each((draft, at) => {
  if (draft.kind(at) !== "word" || draft.at(at + 1) !== "(") return undefined;
  const dot = draft.at(at - 1) === ".";
  const isLibrary = dot && draft.isFree(at - 2) && LIBRARIES.has(draft.at(at - 2));
  const start = isLibrary ? at - 2 : at;
  const name = draft.at(at);
  const items = draft.items(at + 1);
  const end = draft.closing(at + 1);
  if (/^(?:s?printf|format)$/i.test(name) && items !== undefined && end !== undefined) {
    const [text, ...values] = items;
    if (values.length === 0 || (values.length === 1 && values[0].startsWith("["))) return undefined;
    draft.replace(start, end + 1, `${text}.format([${values.join(", ")}])`);
    return "format() takes its values as a list";
  }
  if (name.toLowerCase() === "concat" && items !== undefined && end !== undefined) {
    const from = dot ? draft.operandBefore(at - 1) ?? at : at;
    const first = dot ? [draft.text(from, at - 1)] : [];
    draft.replace(from, end + 1, [...first, ...items].join(" + "));
    return "+ joins texts and lists";
  }
  const known = isLibrary && name === "parse" ? "from_json" : functionFor(name);
  if (known === undefined && !isLibrary) return undefined;
  const isMath = isLibrary && draft.at(start) === "Math";
  const meant = known ?? (isMath ? `math.${name}` : name);
  const written = draft.text(start, at + 1);
  draft.replace(start, at + 1, meant);
  if (meant === "contains") return "a text has contains(), and a list is asked with in";
  return `${written}() is called ${meant}()`;
});

/** `process.env.NAME`, `env.NAME`, `os.Getenv('NAME')`. */
export const environment = each((draft, at) => {
  if (!draft.isFree(at)) return undefined;
  const found = /^(?:process\.env\.|env\.|ENV\.|import\.meta\.env\.)/.exec(draft.text(at, at + 6));
  const length = found === null ? 0 : found[0].split(".").length * 2 - 2;
  const name = draft.at(at + length);
  if (length > 0 && draft.kind(at + length) === "word" && draft.at(at + length + 1) !== "(") {
    draft.replace(at, at + length + 1, `env('${name}')`);
    return "env() reads a variable of the environment";
  }
  if (!/^os\.(?:Getenv|getenv|environ)$/.test(draft.text(at, at + 3))) return undefined;
  draft.replace(at, at + 3, "env");
  return "env() reads a variable of the environment";
});

/** What cannot be corrected, and the way round. */
export const remark: Correction = (draft) => {
  for (let at = 0; at < draft.length; at++) {
    const found = draft.isFree(at) ? ABSENT.get(draft.at(at)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
};
