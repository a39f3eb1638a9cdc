/** Parses a query as far as it is needed: its parameters, and what the statement does. */
import type { Syntax } from "../driver.ts";
import { StatementWords } from "./statement.ts";
import { SYNTAXES } from "./syntaxes.ts";
import { type Token, tokensOf } from "./token.ts";

/** One SQL statement with `:named` parameters. */
export interface Query {
  /** The text around the parameters: one piece more than there are `parameters`. */
  readonly pieces: readonly string[];
  /** The names in their order; a name may occur several times. */
  readonly parameters: readonly string[];
  /** True where it only reads. */
  readonly reads: boolean;
  /** False where it cannot return rows. */
  readonly returnsRows: boolean;
}

/**
 * Parses a query.
 *
 * @throws {SyntaxError} It is empty, holds more than one statement, controls a transaction or changes
 * its connection, leaves a quotation open or has parameters that are not `:named`. The message
 * completes a sentence that begins with `query`.
 */
export function parseQuery(text: string, syntax: Syntax): Query {
  const rules = SYNTAXES[syntax];
  const words = new StatementWords(rules);
  const pieces: string[] = [];
  const parameters: string[] = [];
  let start = 0;
  let depth = 0;
  let end: number | undefined;
  let qualified = false;
  for (const token of tokensOf(text, rules.reader())) {
    const found = text.slice(token.start, token.end);
    if (found === ";") {
      end ??= token.start;
      continue;
    }
    if (end !== undefined) throw new SyntaxError("holds more than one statement");
    refuse(token, found);
    if (token.kind === "parameter") {
      pieces.push(text.slice(start, token.start));
      parameters.push(found.slice(1));
      start = token.end;
    } else if (token.kind === "word") {
      const word = found.toUpperCase();
      if (qualified) words.takeQualified(word, depth);
      else words.take(word, depth);
    } else if (found === "(") depth++;
    else if (found === ")") depth--;
    qualified = found === ".";
  }
  if (words.isEmpty) throw new SyntaxError("holds no statement");
  refuseControl(words.control);
  refuseSession(words.session, rules.session);
  pieces.push(text.slice(start, end));
  return { pieces, parameters, reads: words.reads, returnsRows: words.returnsRows };
}

function refuse({ kind }: Token, found: string): void {
  if (kind === "open") throw new SyntaxError(`leaves a ${found} open`);
  if (kind === "foreign") {
    throw new SyntaxError(`has the parameter "${found}"; only :named ones are taken`);
  }
  if (kind === "conditional") {
    throw new SyntaxError(`has the parameter "${found}" in a comment that not all servers run`);
  }
}

function refuseControl(control: string | undefined): void {
  if (control === undefined) return;
  if (control === "DELIMITER") {
    throw new SyntaxError("must not use DELIMITER: only the mysql client knows it");
  }
  throw new SyntaxError(`must not ${control}: each write is a transaction`);
}

/** Whatever statement comes next on the connection would find what it has left there. */
function refuseSession(words: string | undefined, instead: Readonly<Record<string, string>>): void {
  if (words === undefined) return;
  const hint = instead[words] === "" ? "" : `; ${instead[words]}`;
  throw new SyntaxError(`must not ${words}: the connections are shared by all flows${hint}`);
}
