/** What is said of a script that the server has refused: where, and what stays of it. */
import { messageOf, shownWords } from "../../../../base/shown.ts";
import { type ScriptStatement, statementsOf } from "../../sql/mod.ts";
import { errnoOf } from "./errors.ts";

/** `ER_EMPTY_QUERY`: a text without a statement. */
const EMPTY = 1065;

/**
 * First words of what is no statement but a part of one, which was not split as the server does it, or
 * of one whose results cannot be counted.
 */
const UNSURE = new Set([
  ...["CASE", "DECLARE", "ELSE", "ELSEIF", "END", "FOR", "IF", "LOOP", "REPEAT", "UNTIL", "WHEN"],
  ...["WHILE", "EXECUTE"],
]);

/** A script that was refused. */
export class ScriptRefusal {
  readonly #script: string;
  readonly #error: unknown;
  readonly #statements: readonly ScriptStatement[];
  /** The index of the statement that was refused; undefined where that is not known. */
  readonly #index: number | undefined;

  /** `results` says of each result before the error whether it had rows. */
  constructor(script: string, results: readonly boolean[], error: unknown) {
    this.#script = script;
    this.#error = error;
    this.#statements = [...statementsOf(script, "mysql")];
    const unsure = this.#statements.some(({ first = "" }) => UNSURE.has(first));
    this.#index = unsure ? undefined : indexOf(this.#statements, results);
  }

  /** Whether nothing is left but blanks and comments, which MySQL refuses for a statement. */
  get isAtEnd(): boolean {
    if (errnoOf(this.#error) !== EMPTY) return false;
    return this.#index === undefined
      ? this.#statements.every(({ content }) => content !== undefined)
      : this.#statements.slice(this.#index).every(({ content }) => content === undefined);
  }

  /**
   * A sentence without the file. `undone` says that its transaction is still open: a statement that
   * changes a table commits it, and from there on each is committed by itself.
   */
  describe(undone: boolean): string {
    const words = shownWords(messageOf(this.#error).replace(IN_LINE, ""));
    const index = this.#index;
    const { [index ?? -1]: statement, length } = this.#statements;
    if (index === undefined || statement === undefined) {
      const stays = undone ? "" : `; what it did before that is applied${BY_HAND}`;
      return `was refused: ${words}${stays}`;
    }
    const line = this.#lineOf(statement);
    const place = length === 1
      ? `in line ${line}`
      : `at statement ${index + 1} of ${length}, line ${line}`;
    const reason = statement.content === undefined ? "it is empty" : words;
    if (undone || index === 0) return `was refused ${place}: ${reason}`;
    const those = index === 1 ? "the one before it is" : `the ${index} before it are`;
    return `was refused ${place}: ${reason}; ${those} applied${BY_HAND}`;
  }

  /** The server counts lines of what it could not read, from the first one of the statement. */
  #lineOf({ start, content }: ScriptStatement): number {
    const blanks = /^\s*/.exec(this.#script.slice(start))?.[0].length ?? 0;
    const first = this.#lineAt(start + blanks);
    if (content === undefined) return first;
    const found = IN_LINE.exec(messageOf(this.#error));
    return found === null ? this.#lineAt(content) : first + Number(found[1]) - 1;
  }

  #lineAt(index: number): number {
    return this.#script.slice(0, index).split("\n").length;
  }
}

const IN_LINE = / at line (\d+)$/;

const BY_HAND = ", which the server cannot undo: undo it by hand before the next start";

/** The index of the statement behind those with results; their number where that is the end. */
function indexOf(statements: readonly ScriptStatement[], results: readonly boolean[]): number {
  let next = 0;
  for (const [index, { first }] of statements.entries()) {
    // A procedure has a result for each of its SELECTs, and one of its own at last.
    if (first === "CALL") { while (results[next]) next++; }
    if (next >= results.length) return index;
    next++;
  }
  return statements.length;
}
