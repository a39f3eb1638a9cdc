/**
 * HCL text → a tree of blocks and attributes, in the order of the text and with their places. It
 * does not know Weir's blocks. It is the only user of hcl2json.
 *
 * May import base/.
 */
import { type Problem, problemWithoutPlace } from "../base/problem.ts";
import { mayHoldConstants, type ReadOptions } from "./scope.ts";
import { Evaluation, type ParsedFile, type ParsedValue } from "./evaluation.ts";
import { type Cut, Measure } from "./limits.ts";
import { plainLiteral } from "./literals.ts";
import { HclParser, parsedName, ParserEnded } from "./parser.ts";
import {
  type RawAttribute,
  type RawBody,
  readStructure,
  recoverHeaders,
  StructureError,
} from "./structure.ts";
import { type Body, type Header, problemAt, type SourceFile } from "./tree.ts";

export type { ReadOptions } from "./scope.ts";

/** The result of reading: always a tree, and the problems of the text. */
export interface ReadResult {
  /** The items of all files that could be parsed, in the order given. */
  readonly body: Body;
  /** The constants of all files; without those that failed. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** In no particular order; see `sortProblems`. */
  readonly problems: readonly Problem[];
  /** Block headers found in broken files, so that references to them cause no problems. */
  readonly recovered: readonly Header[];
  /** True where there may be constants beside those that could be read. */
  readonly moreConstants: boolean;
  /** True if the content of a file is unknown. */
  readonly opaque: boolean;
  /** The files that could not be parsed; their items are missing from `body`. */
  readonly broken: readonly SourceFile[];
}

/**
 * Reads all files as one configuration. Never throws because of what the files hold: what is wrong
 * with them is in `problems`. A byte order mark at a file's start is dropped. Of blocks at the top
 * level whose kind is not in `kinds` only the headers are read; by default all kinds are in it.
 */
export async function readFiles(
  files: readonly SourceFile[],
  options: ReadOptions,
  kinds?: readonly string[],
): Promise<ReadResult> {
  // Unpacking its WASM takes 100 ms, so it is loaded when there is something new to read.
  const parser = new HclParser(() => import("@cdktf/hcl2json"), options.cache);
  const problems: Problem[] = [];
  const broken: SourceFile[] = [];
  const parsed: ParsedFile[] = [];
  const sources = files.map(withoutByteOrderMark);
  const measure = new Measure();
  const unread = new Set<string>();
  for (const file of sources) {
    const result = await parseFile(file, parser, measure);
    if ("body" in result) parsed.push(result);
    else if ("unread" in result) {
      const { unread: problem, together } = result;
      // What all files together have too much of is reported once.
      if (!together || !unread.has(problem.message)) problems.push(problem);
      unread.add(problem.message);
    } else {
      for (const problem of result) problems.push(problem);
      broken.push(file);
    }
  }
  const opaque = unread.size > 0;
  const recovered = broken.flatMap((file) => recoverHeaders(file.text));
  const moreConstants = opaque || broken.some(mentionsConstants) ||
    parsed.some(({ body }) => body.blocks.some((block) => mayHoldConstants(block, kinds)));
  const evaluation = new Evaluation(options, { moreConstants, kinds });
  const [first = { path: "", text: "", folder: "" }] = sources;
  const body = await evaluation.merge(parsed, { file: first, start: 0, end: first.text.length });
  for (const problem of evaluation.problems) problems.push(problem);
  const constants = evaluation.constants.values();
  return { body, constants, problems, recovered, moreConstants, opaque, broken };
}

/** A file whose content is unknown. */
interface Unread {
  readonly unread: Problem;
  /** True where others have the same problem, and one report is enough. */
  readonly together?: boolean;
}

/** The parsed file, why it cannot be parsed, or why it was not read. */
async function parseFile(
  file: SourceFile,
  parser: HclParser,
  measure: Measure,
): Promise<ParsedFile | Problem[] | Unread> {
  if (file.unreadable !== undefined) {
    const message = `the file cannot be read: ${file.unreadable}`;
    return { unread: problemWithoutPlace({ code: "file-not-readable", message }, file.path) };
  }
  const { excess, cut } = measure.look(file.text);
  if (excess !== undefined) {
    const { offset, message, hint, together } = excess;
    const span = { file, start: offset, end: offset + 1 };
    return { unread: problemAt({ code: "too-large", span, message, hint }), together };
  }
  try {
    return await parse(file, parser, cut);
  } catch (error) {
    if (!(error instanceof ParserEnded)) throw error;
    const message = "the parser cannot read the file";
    const hint = "split it into several files";
    const unread = problemWithoutPlace({ code: "too-large", message, hint }, file.path);
    return { unread, together: true };
  }
}

async function parse(
  file: SourceFile,
  parser: HclParser,
  cut: Cut | undefined,
): Promise<ParsedFile | Problem[]> {
  const asked = parser.parse(parsedName, cut?.text ?? file.text);
  const refusal = await asked.then(() => undefined, (error) => {
    if (error instanceof ParserEnded) throw error;
    // After parsing, its conversion refuses some blocks that we read by ourselves.
    return /^Error: convert to HCL/.test(String(error)) ? undefined : String(error);
  });
  if (refusal !== undefined || cut !== undefined) {
    const { syntaxProblems } = await import("./syntax-problems.ts");
    return syntaxProblems(file, refusal, cut);
  }
  try {
    const body = readStructure(file);
    return { body, expressions: await parseExpressions(file, attributesOf(body), parser) };
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    const span = { file, start: error.offset, end: error.offset + 1 };
    return [problemAt({ code: "syntax-error", span, message: `syntax error: ${error.message}` })];
  }
}

/** The syntax trees of all values that are no literals: as one list, since each call takes 1 ms. */
async function parseExpressions(
  file: SourceFile,
  attributes: readonly RawAttribute[],
  parser: HclParser,
): Promise<Map<RawAttribute, ParsedValue>> {
  const textOf = ({ valueSpan }: RawAttribute) => file.text.slice(valueSpan.start, valueSpan.end);
  const wanted = attributes.filter((attribute) => plainLiteral(textOf(attribute)) === undefined);
  const expressions = new Map<RawAttribute, ParsedValue>();
  if (wanted.length === 0) return expressions;
  // The first item keeps a value that begins with "for" from being read as a for expression.
  let list = "[0";
  const starts = wanted.map((attribute) => {
    list += "\n,";
    const start = list.length;
    list += textOf(attribute);
    return start;
  });
  const tree = await parser.getExpressionAst(parsedName, `${list}\n]`).catch((error) => {
    if (error instanceof ParserEnded) throw error;
    throw new StructureError(wanted[0].valueSpan.start, String(error));
  });
  const unitOf = unitsOfBytes(list);
  for (const [index, attribute] of wanted.entries()) {
    const node = tree?.children[index + 1];
    const shift = attribute.valueSpan.start - starts[index];
    if (node === undefined) throw new StructureError(attribute.valueSpan.start, "expected a value");
    expressions.set(attribute, { node, offset: (byte) => unitOf(byte) + shift });
  }
  return expressions;
}

function attributesOf(body: RawBody): RawAttribute[] {
  return [...body.attributes, ...body.blocks.flatMap((block) => attributesOf(block.body))];
}

/** From offsets in bytes, as the parser counts, to UTF-16 units. */
function unitsOfBytes(text: string): (byte: number) => number {
  if (!/[^\0-\x7f]/.test(text)) return (byte) => Math.min(byte, text.length);
  const units = new Uint32Array(text.length * 3);
  let byte = 0;
  for (let unit = 0; unit < text.length;) {
    const code = text.codePointAt(unit) ?? 0;
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units.fill(unit, byte, byte += bytes);
    unit += code > 0xFFFF ? 2 : 1;
  }
  return (at) => at < byte ? units[at] : text.length;
}

/** Whether a line begins with the word, as a block of constants does. */
function mentionsConstants({ text }: SourceFile): boolean {
  return text.split("\n").some((line) => line.trimStart().startsWith("constants"));
}

function withoutByteOrderMark(file: SourceFile): SourceFile {
  return file.text.startsWith("\uFEFF") ? { ...file, text: file.text.slice(1) } : file;
}
