/** Which part of an SQL text an error of SQLite is about. Its messages name it, and say no place. */
import type { TextRange } from "../../../../contract/probe.ts";
import type { Syntax } from "../../driver.ts";
import { SYNTAXES } from "../../sql/syntaxes.ts";
import { type Token, tokensOf } from "../../sql/token.ts";
import { messageAbout, unknownName } from "./errors.ts";

/** Compiles an SQL text, and returns the message of its error; undefined where it has none. */
export type Attempt = (sql: string) => string | undefined;

/** What names something in a message, beside `unknownName`. */
const NAMES: readonly RegExp[] = [
  /^no such (?:function|index|module|collation sequence|view|trigger): (?:\w+\.)?"?([^\s"]+)/,
  /^wrong number of arguments to function (\w+)\(\)/,
  /^ambiguous column name: (?:\w+\.)?(\S+)$/,
  /^duplicate column name: (\S+)$/,
  /^(?:table|view|index|trigger) "?([^\s"]+)"? already exists/,
  /^there is already (?:a table|an index) named (\S+)$/,
  /^unknown datatype for [^:]+: "(.+)"$/,
  /^cannot \w+ (?:into )?generated column "(.+)"$/,
  /^(?:UNIQUE|NOT NULL) constraint failed: \w+\.(\w+)/,
  /^misuse of aggregate: (\w+)\(/,
  /^unable to use function (\w+) /,
];

/** The part that a message is about; undefined where it does not say. */
export function placeOfError(
  sql: string,
  message: string,
  syntax: Syntax,
  attempt: Attempt,
): TextRange | undefined {
  const tokens = [...tokensOf(sql, SYNTAXES[syntax].reader())];
  const [, near] = /^near "([^]+)": syntax error/.exec(message) ?? [];
  if (near !== undefined) return placeOfSyntax(sql, near, tokens, message, attempt);
  const [, open] = /^unrecognized token: "([^]+)"$/.exec(message) ?? [];
  if (open !== undefined) {
    const start = sql.indexOf(open);
    return start < 0 ? undefined : { start, end: start + open.length };
  }
  if (message === "incomplete input") return tokens.at(-1);
  const unknown = unknownName(message);
  const name = unknown?.name ?? NAMES.flatMap((pattern) => pattern.exec(message)?.[1] ?? [])[0];
  if (name === undefined) return undefined;
  const isNamed = (token: Token | undefined, name: string) =>
    token !== undefined && nameOf(sql, token) === name.toLowerCase();
  const { qualifier } = unknown ?? {};
  const found = tokens.filter((token, at) =>
    isNamed(token, name) && (qualifier === undefined || isNamed(tokens[at - 2], qualifier))
  );
  const chosen = choose(sql, tokens, found, {
    message,
    attempt,
    isTable: unknown?.kind === "table",
  });
  return chosen && withoutQuotes(sql, chosen);
}

/** Which of several equal names is meant. */
function choose(
  sql: string,
  tokens: readonly Token[],
  found: readonly Token[],
  { message, attempt, isTable }: {
    readonly message: string;
    readonly attempt: Attempt;
    readonly isTable: boolean;
  },
): Token | undefined {
  if (found.length < 2 || message.startsWith("ambiguous")) return found[0];
  if (message.startsWith("duplicate")) return found[1];
  const meant = isTable
    ? found.find((token) => isTableName(sql, tokens, token))
    : culprit(sql, found, message, attempt);
  return meant ?? found[0];
}

function withoutQuotes(sql: string, { kind, start, end }: Token): TextRange {
  return kind === "quoted" && !sql.startsWith("'", start)
    ? { start: start + 1, end: end - 1 }
    : { start, end };
}

/** The first of several equal names without which the error is gone. */
function culprit(
  sql: string,
  found: readonly Token[],
  message: string,
  attempt: Attempt,
): Token | undefined {
  return found.find(({ start, end }) => {
    const other = attempt(`${sql.slice(0, start)}NULL${sql.slice(end)}`);
    return other !== message && !other?.includes("syntax error");
  });
}

/** The first token up to which the text has this error. */
function placeOfSyntax(
  sql: string,
  near: string,
  tokens: readonly Token[],
  message: string,
  attempt: Attempt,
): TextRange | undefined {
  const found = tokens.filter(({ start }) => sql.startsWith(near, start));
  const first = found.find(({ start }) => attempt(sql.slice(0, start + near.length)) === message) ??
    found[0];
  return first && { start: first.start, end: first.start + near.length };
}

/** A word or a quoted name, in lower case and without its quotes. */
function nameOf(sql: string, { kind, start, end }: Token): string | undefined {
  const text = sql.slice(start, end).toLowerCase();
  if (kind === "word") return text;
  return kind === "quoted" && !text.startsWith("'") ? text.slice(1, -1) : undefined;
}

const BEFORE_TABLES = new Set([
  "FROM",
  "JOIN",
  "INTO",
  "UPDATE",
  "TABLE",
  "ON",
  "REFERENCES",
  ",",
  "EXISTS",
]);

function isTableName(sql: string, tokens: readonly Token[], token: Token): boolean {
  const before = tokens[tokens.indexOf(token) - 1];
  return before !== undefined &&
    BEFORE_TABLES.has(sql.slice(before.start, before.end).toUpperCase());
}

/** Makes an `Attempt` of a function that throws where the text is refused. */
export function attempting(compile: (sql: string) => void): Attempt {
  return (sql) => {
    try {
      compile(sql);
      return undefined;
    } catch (error) {
      return messageAbout(error, sql);
    }
  };
}
