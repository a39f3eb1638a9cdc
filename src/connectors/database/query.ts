/** Parses SQL as far as a query needs it: parameters, the number of statements, reading or writing. */

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

/** Skips the contents of strings, quoted names and comments. */
const TOKEN = new RegExp(
  [
    String.raw`(?<skip>\s+|--[^\n]*|/\*[^]*?(?:\*/|$)|::)`,
    String
      .raw`(?<quoted>'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|${"`[^`]*(?:``[^`]*)*`"}|\[[^\]]*\])`,
    String.raw`:(?<parameter>[\p{L}_][\p{L}\p{N}_]*)`,
    String.raw`(?<foreign>\?\d*|[@$][\p{L}\p{N}_]+)`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_$]*)`,
    String.raw`(?<other>[^])`,
  ].join("|"),
  "gyu",
);

const TRANSACTION_CONTROL = new Set(["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "END"]);
const READS = new Set(["SELECT", "VALUES", "EXPLAIN"]);
const RETURNS_ROWS = new Set([...READS, "PRAGMA"]);
const AFTER_WITH = new Set([...READS, "INSERT", "UPDATE", "DELETE", "REPLACE"]);

/**
 * Parses a query.
 *
 * @throws {SyntaxError} It is empty, holds more than one statement, controls a transaction, leaves a
 * quotation open or has parameters that are not `:named`. The message completes a sentence that
 * begins with `query`.
 */
export function parseQuery(text: string): Query {
  const pieces: string[] = [];
  const parameters: string[] = [];
  let verb: string | undefined;
  let start = 0;
  let depth = 0;
  let end: number | undefined;
  let returning = false;
  for (const { index, groups, 0: token } of text.matchAll(TOKEN)) {
    const { skip, quoted, parameter, foreign, word } = groups ?? {};
    if (skip !== undefined) continue;
    if (token === ";") {
      end ??= index;
      continue;
    }
    if (end !== undefined) throw new SyntaxError("holds more than one statement");
    if (parameter !== undefined) {
      pieces.push(text.slice(start, index));
      parameters.push(parameter);
      start = index + token.length;
    } else if (foreign !== undefined) {
      throw new SyntaxError(`has the parameter "${foreign}"; only :named ones are taken`);
    } else if (word !== undefined) {
      const upper = word.toUpperCase();
      if (verb === undefined || (verb === "WITH" && depth === 0 && AFTER_WITH.has(upper))) {
        verb = upper;
      }
      returning ||= upper === "RETURNING";
    } else if (quoted === undefined) {
      if (`'"[\``.includes(token)) throw new SyntaxError(`leaves a ${token} open`);
      if (token === "(") depth++;
      if (token === ")") depth--;
    }
  }
  if (verb === undefined) throw new SyntaxError("holds no statement");
  if (TRANSACTION_CONTROL.has(verb)) {
    throw new SyntaxError(`must not ${verb}: each write is a transaction`);
  }
  pieces.push(text.slice(start, end));
  const returnsRows = returning || RETURNS_ROWS.has(verb);
  return { pieces, parameters, reads: READS.has(verb), returnsRows };
}

/**
 * The first statement of a script that would open or end a transaction, such as `COMMIT`; undefined
 * if there is none. The BEGIN and END of a trigger's body do not count.
 */
export function transactionControl(script: string): string | undefined {
  let first: string | undefined;
  let inTrigger = false;
  for (const { groups, 0: token } of script.matchAll(TOKEN)) {
    if (token === ";") first = undefined;
    const word = groups?.word?.toUpperCase();
    if (word === undefined) continue;
    if (first === "CREATE" && word === "TRIGGER") inTrigger = true;
    if (first !== undefined) continue;
    first = word;
    if (inTrigger && word === "END") inTrigger = false;
    else if (TRANSACTION_CONTROL.has(word)) return word;
  }
  return undefined;
}
