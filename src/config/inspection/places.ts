/** Where the parts of a request are written: words in its texts, and the fields of its payload. */
import type { TextRange } from "../../contract/probe.ts";
import { Places } from "../../contract/places.ts";
import { type Attribute, type Block, itemPlaceOf, type Span } from "../../hcl/tree.ts";
import type { PlacedFlow, PlacedRequest } from "../warnings/flow.ts";

/** The place of a part of an attribute's text; all of the value where it is written otherwise. */
export function placeOfPart({ value, valueSpan }: Attribute, { start, end }: TextRange): Span {
  if (typeof value !== "string" || end <= start) return valueSpan;
  const written = fileSpan(value, valueSpan) ?? textSpan(valueSpan);
  const words = value.slice(start, end);
  const text = written.file.text.slice(written.start, written.end);
  const [inText, inValue] = [placesIn(text, words), placesIn(value, words)];
  // An escape or a template makes another text of it.
  if (inText.length !== inValue.length) return valueSpan;
  const first = written.start + inText[inValue.indexOf(start)];
  return { ...written, start: first, end: first + words.length };
}

/** A value without its quotes, or without the first and the last line of a heredoc. */
function textSpan(span: Span): Span {
  const text = span.file.text.slice(span.start, span.end);
  if (!text.startsWith("<<")) return { ...span, start: span.start + 1, end: span.end - 1 };
  const last = text.trimEnd().lastIndexOf("\n");
  return { ...span, start: span.start + text.indexOf("\n"), end: span.start + last };
}

/** All of the file that `file("path")` reads; undefined for another value. */
function fileSpan(text: string, { file, start, end }: Span): Span | undefined {
  const call = /^file\(\s*"([^"\\$%]+)"\s*\)$/.exec(file.text.slice(start, end).trim());
  if (call === null) return undefined;
  const path = besideFile(file.path, call[1]);
  return { file: { path, text, folder: file.folder }, start: 0, end: text.length };
}

/** A path that is relative to the folder of a file, as people see that file. */
export function besideFile(file: string, path: string): string {
  if (path.startsWith("/")) return path;
  const parts = file.split("/").slice(0, -1);
  for (const part of path.split("/")) {
    if (part === "..") {
      if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
      else parts.push(part);
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function placesIn(text: string, words: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) places.push(at);
  return places;
}

/** The place of an item of a list; all of the value where it is no list. */
export function placeOfItem({ value, valueSpan }: Attribute, item: string): Span {
  if (!Array.isArray(value)) return valueSpan;
  return itemPlaceOf(value, String(value.indexOf(item)))?.valueSpan ?? valueSpan;
}

/** The place of a name, and of what is written for it. */
interface NamedPlace {
  readonly name: Span;
  readonly value: Span;
}

/** Where a field of a request's payload is named; undefined where the configuration does not. */
export function placeOfField(
  name: string,
  request: PlacedRequest,
  flow: PlacedFlow | undefined,
  blocks: readonly Block[],
): NamedPlace | undefined {
  const params = request.places.attribute("params");
  if (params !== undefined) return placeOfName(params, name);
  for (const block of makersOf(request, flow, blocks)) {
    const found = new Places(block.body, block.headerSpan).attribute(name);
    if (found !== undefined) return { name: found.nameSpan, value: found.valueSpan };
  }
  return undefined;
}

/** The blocks that name fields of a payload, the last one that does first. */
function* makersOf(
  { kind, places }: PlacedRequest,
  flow: PlacedFlow | undefined,
  blocks: readonly Block[],
): Generator<Block> {
  const transforms = kind === "step"
    ? []
    : [places.block("transform"), flow?.places.block("transform")];
  for (const transform of transforms) {
    if (transform === undefined) continue;
    yield transform;
    const use = new Places(transform.body, transform.headerSpan).attribute("use")?.value;
    if (typeof use === "string") yield* named("transform", use.replace("transform.", ""), blocks);
  }
  const { input, output } = flow?.model.validate ?? {};
  for (const type of [output, input]) {
    if (type !== undefined) yield* named("type", type.name, blocks);
  }
}

function named(type: string, name: string, blocks: readonly Block[]): readonly Block[] {
  return blocks.filter((block) => block.type === type && block.labels[0]?.text === name);
}

/** The place of a name in an object such as `{ id = "input.id" }`. */
function placeOfName({ value, valueSpan }: Attribute, name: string): NamedPlace {
  const item = typeof value === "object" && value !== null ? itemPlaceOf(value, name) : undefined;
  if (item === undefined) return { name: valueSpan, value: valueSpan };
  const start = valueSpan.file.text.lastIndexOf(name, item.valueSpan.start - 1);
  const isFound = start >= valueSpan.start;
  return {
    name: isFound ? { ...valueSpan, start, end: start + name.length } : item.valueSpan,
    value: item.valueSpan,
  };
}
