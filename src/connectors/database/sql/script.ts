/** Splits scripts into statements, and looks for those that a script must not have. */
import type { Syntax } from "../driver.ts";
import { StatementWords } from "./statement.ts";
import { type Rules, SYNTAXES } from "./syntaxes.ts";
import { tokensOf } from "./token.ts";

/** Words behind which a statement of a MySQL program begins, beside `;`. */
const BEFORE_STATEMENT = new Set(["BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"]);

/** What ends with END and such a word is no block that BEGIN has begun. */
const AFTER_END = new Set(["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"]);

/** A statement of a script. */
export interface ScriptStatement {
  /** Its first word, in upper case; undefined where it has none. */
  readonly first: string | undefined;
  /** What of it begins or ends a transaction; undefined if nothing does. */
  readonly control: string | undefined;
  /** Where the one before it has ended, as an index of the script. */
  readonly start: number;
  /** The index of what is neither blank nor a comment; undefined where it is empty. */
  readonly content: number | undefined;
}

/**
 * The first statement of a script that would open or end a transaction, such as `COMMIT`; undefined
 * if there is none. The statements in a trigger or another program do not count. With MySQL's
 * syntax it may be `DELIMITER`, which only MySQL's own client knows.
 */
export function transactionControl(script: string, syntax: Syntax): string | undefined {
  for (const { control } of statementsOf(script, syntax)) {
    if (control !== undefined) return control;
  }
  return undefined;
}

/** The statements of a script. Those in a trigger or another program are a part of it. */
export function* statementsOf(script: string, syntax: Syntax): Generator<ScriptStatement> {
  const rules = SYNTAXES[syntax];
  let program = new Program(rules);
  let words = new StatementWords(rules);
  let depth = 0;
  let qualified = false;
  let begun = 0;
  let content: number | undefined;
  for (const { kind, start, end } of tokensOf(script, rules.reader())) {
    const found = script.slice(start, end);
    if (found === ";") {
      program.endStatement();
      depth = 0;
      if (program.isOpen) continue;
      yield { first: words.first, control: words.control, start: begun, content };
      words = new StatementWords(rules);
      program = new Program(rules);
      begun = end;
      content = undefined;
      continue;
    }
    content ??= start;
    if (kind === "word") {
      const word = found.toUpperCase();
      if (qualified) words.takeQualified(word, depth);
      else {
        words.take(word, depth);
        program.take(word, depth);
      }
    } else {
      if (found === "(") depth++;
      else if (found === ")") depth--;
      // No script has parameters: `label:BEGIN` is a label and a word.
      program.takeOther(kind === "parameter" ? ":" : found);
      if (kind === "parameter") program.take(found.slice(1).toUpperCase(), depth);
    }
    qualified = found === ".";
  }
  if (content === undefined) return;
  yield { first: words.first, control: words.control, start: begun, content };
}

/** Whether a script is in the body of a trigger or another program that a CREATE makes. */
class Program {
  readonly #rules: Rules;
  /** The first word of the statement, and whether it names a program. */
  #creates: boolean | undefined;
  #named = false;
  /** How many blocks are open. */
  #blocks = 0;
  /** Whether a statement begins here. */
  #atStatement = false;
  /** Whether the statement is a DECLARE: behind the conditions of a handler a block may begin. */
  #declares = false;
  /** Whether the latest word is an END that may end a block. */
  #ending = false;
  #latest = "";

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  get isOpen(): boolean {
    return this.#blocks > 0;
  }

  take(word: string, depth: number): void {
    this.#creates ??= word === "CREATE";
    if (!this.#creates) return;
    if (this.isOpen) this.#takeInBody(word);
    else this.#takeInHeader(word, depth);
    this.#latest = word;
  }

  #takeInHeader(word: string, depth: number): void {
    if (depth > 0) return;
    // The body of PostgreSQL's programs is a text, unless it begins with BEGIN ATOMIC.
    const { programs, body } = this.#rules;
    this.#named ||= programs.has(word);
    if (this.#named && `${this.#latest} ${word}`.endsWith(body)) this.#open();
  }

  #takeInBody(word: string): void {
    if (this.#ending && AFTER_END.has(word)) this.#ending = false;
    this.#end();
    if (!this.isOpen) return;
    const begins = this.#atStatement;
    this.#atStatement = this.#rules.blocks && BEFORE_STATEMENT.has(word);
    if (begins) {
      this.#declares = word === "DECLARE";
      this.#ending = word === "END";
    }
    if (word === "BEGIN" && this.#rules.blocks && (begins || this.#declares)) this.#open();
  }

  /** Takes what is no word. */
  takeOther(found: string): void {
    this.#end();
    // A label precedes it.
    this.#atStatement = found === ":" && this.#rules.blocks;
    this.#latest = "";
  }

  /** Takes the end of a statement in the body. */
  endStatement(): void {
    this.#end();
    this.#atStatement = true;
  }

  #open(): void {
    this.#blocks++;
    this.#atStatement = true;
    this.#declares = false;
  }

  #end(): void {
    if (this.#ending) this.#blocks--;
    this.#ending = false;
  }
}
