/** The `operation` of a flow that changes of a database start: what it means, and its checks. */
import { didYouMean } from "../../../base/nearest.ts";
import { quoted } from "../../../base/shown.ts";
import { isLongerThan } from "../../../base/text.ts";
import type { CodedProblem } from "../../../contract/definition.ts";

/** What can happen to a row. */
export const CHANGES = ["INSERT", "UPDATE", "DELETE"] as const;

/** One of `CHANGES`. */
export type ChangeKind = typeof CHANGES[number];

/** What a flow wants: the changes of a table, or what is sent to a channel with NOTIFY. */
export type Wanted =
  | { readonly kind: ChangeKind | "*"; readonly table: TableName }
  | { readonly kind: "NOTIFY"; readonly channel: string };

/** A table as a flow names it. */
export interface TableName {
  /** `table` or `schema.table`. */
  readonly written: string;
  /** Undefined where the server's search path finds the table. */
  readonly schema: string | undefined;
  readonly name: string;
}

const WORDS = [...CHANGES, "*", "NOTIFY"] as const;

/** How many bytes a name has at most in PostgreSQL, which cuts longer ones. */
const LONGEST_NAME = 63;

/** Reads an operation; undefined where `checkOperation` refuses it. */
export function parseOperation(operation: string | undefined): Wanted | undefined {
  const { word, rest } = split(operation ?? "");
  const kind = WORDS.find((known) => known === word);
  if (kind === undefined || rest === "") return undefined;
  return kind === "NOTIFY" ? { kind, channel: rest } : { kind, table: tableName(rest) };
}

/** Splits `schema.table` at its first point; without one it is a table alone. */
export function tableName(written: string): TableName {
  const point = written.indexOf(".");
  return point < 0
    ? { written, schema: undefined, name: written }
    : { written, schema: written.slice(0, point), name: written.slice(point + 1) };
}

/** Checks the `operation` of a `from` block; `deadLetter` is the table of the `changes` block. */
export function checkOperation(
  operation: string | undefined,
  deadLetter: string | undefined,
): readonly CodedProblem[] {
  if (operation === undefined) {
    const message = "needs an operation, which says whose changes start the flow";
    return [{ code: "missing-operation", message, hint: EXAMPLE }];
  }
  const { word, rest } = split(operation);
  if (!WORDS.some((known) => known === word)) {
    const message = `has no operation ${quoted(word)}`;
    const near = didYouMean(word.toUpperCase(), [...CHANGES, "NOTIFY"]);
    return [invalid("unknown-operation", message, near ?? EXAMPLE)];
  }
  if (rest === "") {
    const what = word === "NOTIFY" ? "a channel" : "a table";
    return [invalid("invalid-operation", `needs ${what} after ${word}`, EXAMPLE)];
  }
  const wanted = parseOperation(operation);
  if (wanted === undefined) return [];
  if (wanted.kind === "NOTIFY") return checkName("channel", wanted.channel);
  const { table } = wanted;
  if (deadLetter !== undefined && isSameTable(table, tableName(deadLetter))) {
    const message = `starts with the changes of ${quoted(deadLetter)}, its table of dead letters`;
    const hint = "what fails would be its own cause; name another table";
    return [invalid("dead-letter-loop", message, hint)];
  }
  return [
    ...(table.schema === undefined ? [] : checkName("schema", table.schema)),
    ...checkName("table", table.name),
  ];
}

/**
 * Whether a write of the kind `written` to `target` is a change that starts a flow on `operation`. An
 * UPSERT is an INSERT or an UPDATE. The same table may be named with its schema and without it.
 */
export function startsWith(
  operation: string | undefined,
  target: string,
  written = "INSERT",
): boolean {
  const wanted = parseOperation(operation);
  if (wanted === undefined || wanted.kind === "NOTIFY") return false;
  if (!isSameTable(wanted.table, tableName(target))) return false;
  return wanted.kind === "*" || wanted.kind === written ||
    (written === "UPSERT" && wanted.kind !== "DELETE");
}

/** Whether an event of the operation `happened`, such as `INSERT orders`, starts a flow on `operation`. */
export function takesEvent(operation: string | undefined, happened: string): boolean {
  const wanted = parseOperation(operation);
  const event = parseOperation(happened);
  if (wanted === undefined || event === undefined) return false;
  if (wanted.kind === "NOTIFY" || event.kind === "NOTIFY") return operation === happened;
  return isSameTable(wanted.table, event.table) &&
    (wanted.kind === "*" || wanted.kind === event.kind);
}

/** Without its schema a table may be that of any. */
function isSameTable(one: TableName, other: TableName): boolean {
  return one.name === other.name &&
    (one.schema === other.schema || one.schema === undefined || other.schema === undefined);
}

const EXAMPLE = 'such as "INSERT orders", "* orders" for every change, or "NOTIFY channel"';

function checkName(kind: string, name: string): readonly CodedProblem[] {
  if (name === "") return [invalid("invalid-operation", `needs a name of the ${kind}`, EXAMPLE)];
  if (name.includes("\0") || !name.isWellFormed()) {
    return [invalid("invalid-operation", `has a ${kind} with a character that no name has`)];
  }
  if (!isLongerThan(name, LONGEST_NAME)) return [];
  return [invalid("invalid-operation", `has a ${kind} of more than ${LONGEST_NAME} bytes`)];
}

function invalid(code: CodedProblem["code"], message: string, hint?: string): CodedProblem {
  return { code, attribute: "operation", message, ...(hint === undefined ? {} : { hint }) };
}

function split(operation: string): { readonly word: string; readonly rest: string } {
  const space = operation.indexOf(" ");
  if (space < 0) return { word: operation, rest: "" };
  return { word: operation.slice(0, space), rest: operation.slice(space + 1).trim() };
}
