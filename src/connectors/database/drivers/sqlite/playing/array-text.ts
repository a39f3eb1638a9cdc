/** Arrays as PostgreSQL writes them in text, such as `{a,"b c",NULL}`. */
import { type Kind, kindOf } from "./types.ts";

/** One character, one in quotes behind a backslash, or one that means something by itself. */
type Item = string | null | readonly Item[];

/** What an array of a kind of elements has; undefined for what is no array. */
export function arrayOf(text: string, kind: Kind): readonly unknown[] | undefined {
  const reader = { text, at: 0 };
  blanks(reader);
  const items = text[reader.at] === "{" ? readArray(reader) : undefined;
  blanks(reader);
  return items === undefined || reader.at < text.length ? undefined : converted(items, kind);
}

/** The literal of a list as it is stored, for one of PostgreSQL such as `'{a}'`; undefined for another. */
export function arrayLiteral(literal: string, type: string): string | undefined {
  if (!literal.startsWith("'")) return undefined;
  const text = literal.slice(1, -1).replaceAll("''", "'");
  const items = arrayOf(text, kindOf(type, "postgres") ?? { name: "text" });
  return items && `'${JSON.stringify(items).replaceAll("'", "''")}'`;
}

interface ReaderState {
  readonly text: string;
  at: number;
}

function readArray(reader: ReaderState): readonly Item[] | undefined {
  const items: Item[] = [];
  const { text } = reader;
  reader.at++;
  blanks(reader);
  if (text[reader.at] === "}") return ++reader.at, items;
  for (;;) {
    blanks(reader);
    const item = text[reader.at] === "{" ? readArray(reader) : readElement(reader);
    if (item === undefined) return undefined;
    items.push(item);
    blanks(reader);
    const end = text[reader.at++];
    if (end === "}") return items;
    if (end !== ",") return undefined;
  }
}

/** An element; undefined for one that is empty or does not end. */
function readElement(reader: ReaderState): string | null | undefined {
  const { text } = reader;
  if (text[reader.at] === '"') {
    const [quoted] = /^"(?:[^"\\]|\\[^])*"/.exec(text.slice(reader.at)) ?? [];
    if (quoted === undefined) return undefined;
    reader.at += quoted.length;
    return quoted.slice(1, -1).replaceAll(/\\([^])/g, "$1");
  }
  const [plain] = /^(?:[^{},"\\]|\\[^])*/.exec(text.slice(reader.at)) ?? [""];
  reader.at += plain.length;
  const element = plain.trim();
  if (element === "") return undefined;
  return element.toUpperCase() === "NULL" ? null : element.replaceAll(/\\([^])/g, "$1");
}

function blanks(reader: ReaderState): void {
  while (/\s/.test(reader.text[reader.at] ?? "")) reader.at++;
}

function converted(items: readonly Item[], kind: Kind): readonly unknown[] {
  return items.map((item) =>
    item === null ? null : typeof item === "string" ? element(item, kind) : converted(item, kind)
  );
}

/** An element as JSON has it. Those of other kinds are texts there as well. */
function element(text: string, { name }: Kind): unknown {
  switch (name) {
    case "boolean":
      return /^(t|true|y|yes|on|1)$/i.test(text);
    case "integer":
    case "double": {
      const value = Number(text);
      // An integer that no number can hold stays a text.
      return name === "double" || Number.isSafeInteger(value) ? value : text;
    }
    default:
      return text;
  }
}
