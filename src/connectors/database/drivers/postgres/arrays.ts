/** Arrays of PostgreSQL as text, such as `{1,NULL,"a b"}`, and as lists. */
import { kindName } from "../../../../base/shown.ts";
import { checked, type Codec } from "./codecs.ts";

/** The codec of an array, made of that of its elements. */
export function arrayOf(element: Codec): Codec {
  const { delimiter = ",", decode } = element;
  return {
    decode: (text) => parse(text, delimiter, decode),
    encode(value) {
      if (Array.isArray(value)) return write(value, element, delimiter);
      // A text may be an array as PostgreSQL writes it.
      if (typeof value === "string") return checked(value);
      throw new TypeError(`is ${kindName(value)}, and must be a list`);
    },
  };
}

function write(list: readonly unknown[], element: Codec, delimiter: string): string {
  const parts = list.map((item) => {
    if (item === null || item === undefined) return "NULL";
    if (Array.isArray(item) && !element.takesLists) return write(item, element, delimiter);
    return `"${element.encode(item).replace(/["\\]/g, "\\$&")}"`;
  });
  return `{${parts.join(delimiter)}}`;
}

function parse(
  text: string,
  delimiter: string,
  decode: Codec["decode"],
): unknown[] {
  // Bounds that do not begin at 1 come first: `[0:1]={1,2}`.
  let at = text.startsWith("[") ? text.indexOf("=") + 1 : 0;
  const read = (item: string) => decode === undefined ? item : decode(item);

  const quoted = (): string => {
    let found = "";
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) throw new TypeError("an array of the server has no end");
      if (text[at] === "\\") at++;
      found += text[at];
    }
    at++;
    return found;
  };

  const list = (): unknown[] => {
    const items: unknown[] = [];
    at++;
    while (text[at] !== "}") {
      if (at >= text.length) throw new TypeError("an array of the server has no end");
      if (text[at] === delimiter) at++;
      else if (text[at] === "{") items.push(list());
      else if (text[at] === '"') items.push(read(quoted()));
      else {
        const start = at;
        while (at < text.length && text[at] !== delimiter && text[at] !== "}") at++;
        const item = text.slice(start, at);
        items.push(item === "NULL" ? null : read(item));
      }
    }
    at++;
    return items;
  };
  return list();
}
