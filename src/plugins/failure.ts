/** Why the import of a module failed, in one sentence with the file and the line. */
import { relative, sep } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { PluginError } from "../base/errors.ts";
import { isThisPackage, withoutVersion } from "./hooks.ts";
import { platform } from "./platform.ts";

/** A place in a file. */
interface Place {
  /** Absolute. */
  readonly path: string;
  readonly line: number;
  readonly column?: number | undefined;
}

/** Bun's errors of a module that cannot be read. */
interface BuildMessage {
  readonly message: string;
  readonly position?:
    | { readonly file: string; readonly line: number; readonly column: number }
    | null;
}

/** Names that tell nothing. */
const UNNAMED: ReadonlySet<string> = new Set(["Error", "ResolveMessage", "BuildMessage"]);

/** Describes what `import()` of `url` has thrown. */
export function asPluginError(thrown: unknown, url: string): PluginError {
  if (thrown instanceof PluginError) return thrown;
  const { sentence, place } = describe(thrown, url);
  const where = place === undefined ? "" : ` (${shown(place)})`;
  const code = isMissing(thrown, url) ? "plugin-not-found" : "plugin-failed";
  const message = `cannot be imported: ${sentence}${where}`;
  return new PluginError(code, message, { cause: thrown, hint: hintFor(sentence) });
}

/** The files that a failed import is about, as far as the error tells. */
export function filesOf(thrown: unknown, url: string): readonly string[] {
  const { sentence, place } = describe(thrown, url);
  // Deno looks for all files of a module before it calls a hook.
  const [, missing] = /^Module not found "(file:[^"]+)"$/.exec(sentence) ?? [];
  const path = missing === undefined ? undefined : pathOf(missing);
  return [place?.path, path].filter((path) => path !== undefined);
}

function describe(thrown: unknown, url: string): { sentence: string; place: Place | undefined } {
  if (!isError(thrown) && !isBuildMessage(thrown)) {
    return { sentence: `it throws ${oneLine(textOf(thrown))}`, place: undefined };
  }
  // Bun has an error for each mistake of a file; the first one is often the cause of the others.
  const first = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  if (isBuildMessage(first) && first.position) {
    const { file, line, column } = first.position;
    return { sentence: oneLine(first.message), place: { path: file, line, column } };
  }
  const { name, message, stack } = thrown as Error;
  const text = stripVTControlCharacters(message);
  const [line] = text.trim().split("\n");
  const hasName = /^[A-Z]\w*Error: /.test(line) || UNNAMED.has(name) || isNotFound(thrown);
  const sentence = line === ""
    ? `it throws ${name} without a message`
    : oneLine(hasName ? line : `${name}: ${line}`)
      .replace(/ at file:\S+$/, "").replace(/\.$/, "");
  return {
    sentence: withoutVersion(sentence),
    place: placeIn(text) ?? placeIn(stack ?? "", url),
  };
}

/** The first place in a text that lies in the file of `url`, or else in any file of a program. */
function placeIn(text: string, url = ""): Place | undefined {
  const places = stripVTControlCharacters(text).split("\n").flatMap(placeAtEnd);
  const own = url.startsWith("file:") ? fileURLToPath(url) : undefined;
  return places.find(({ path }) => path === own) ?? places[0];
}

/** The place that ends a line of a message or a stack: `at run (file:///redis.ts:3:9)`. */
function placeAtEnd(line: string): readonly Place[] {
  const end = /:(\d{1,9})(?::(\d{1,9}))?\)?$/.exec(line);
  if (end === null) return [];
  const before = withoutVersion(line.slice(0, end.index));
  const file = fileAtEnd(before);
  const path = file === undefined ? undefined : pathOf(file);
  if (path === undefined || isThisPackage(path)) return [];
  return [{ path, line: Number(end[1]), column: end[2] ? Number(end[2]) : undefined }];
}

/** The URL or path of a file. A path may have spaces and parentheses, also in a URL of Deno. */
function fileAtEnd(text: string): string | undefined {
  const url = text.lastIndexOf("file:///");
  if (url !== -1) return text.slice(url);
  // A path begins as far left as it can.
  const start = /(?:^|[\s(])(?=\/|[a-z]:[\\/])/i.exec(text);
  return start === null ? undefined : text.slice(start.index + start[0].length);
}

function pathOf(file: string): string | undefined {
  try {
    return file.startsWith("file:") ? fileURLToPath(file) : file;
  } catch {
    // A message can have any text.
    return undefined;
  }
}

function isError(value: unknown): value is Error {
  return value instanceof Error && typeof value.message === "string" &&
    typeof value.name === "string";
}

/** Bun's messages are errors by their form alone. */
function isBuildMessage(value: unknown): value is BuildMessage {
  return typeof value === "object" && value !== null && "message" in value &&
    typeof value.message === "string" && "position" in value;
}

/** Whether the module itself is what Deno could not find in a registry. */
function isMissing(thrown: unknown, url: string): boolean {
  return /^(?:npm|jsr):/.test(url) && thrown instanceof Error && isNotFound(thrown) &&
    !/ at (?!data:)/.test(thrown.message);
}

function isNotFound(thrown: unknown): boolean {
  return (thrown as { readonly code?: unknown }).code === "ERR_MODULE_NOT_FOUND";
}

function hintFor(sentence: string): string | undefined {
  const [, missing] = /(?:Cannot find package|Import) ['"]([^'":]+)['"]/.exec(sentence) ?? [];
  if (missing === undefined) return undefined;
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(missing)?.[0] ?? missing;
  if (platform !== "deno") {
    return `run ${platform === "bun" ? "bun add" : "npm install"} ${name} in the plugin's project`;
  }
  const source = name === "@weir/runtime" ? "jsr" : "npm";
  return `write "${source}:${name}" in the import, or run deno add ${source}:${name} ` +
    "in the working directory";
}

function textOf(value: unknown): string {
  try {
    return typeof value === "string" ? JSON.stringify(value) : String(value);
  } catch {
    return "an object that has no text";
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** Such as `redis.ts:3:9`, relative if the file is below the working directory. */
function shown({ path, line, column }: Place): string {
  const short = relative(process.cwd(), path);
  const file = (short.startsWith("..") ? path : short).split(sep).join("/");
  return column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`;
}
