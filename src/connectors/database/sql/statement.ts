/** What one statement does, by its words. */
import type { Rules } from "./syntaxes.ts";

/** How many words at the beginning of a statement can control a transaction. */
const HEAD = 3;

/** A statement that is read word by word. All words are in upper case. */
export class StatementWords {
  readonly #rules: Rules;
  #head: string[] = [];
  #verb: string | undefined;
  #latest = "";
  #inWith = false;
  #effects = false;
  #intoSelect = false;
  #returning = false;
  #autocommit = false;

  /** Starts with none. */
  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Takes the next word; `depth` is the number of parentheses around it. */
  take(word: string, depth: number): void {
    const { afterWith, effects, effectsInWith, explained } = this.#rules;
    if (this.#head.length < HEAD) this.#head.push(word);
    if (this.#verb === undefined) {
      this.#verb = word;
      this.#inWith = word === "WITH";
    } else {
      if (this.#verb === "WITH" && depth === 0 && afterWith.has(word)) this.#verb = word;
      const pair = `${this.#latest} ${word}`;
      this.#effects ||= effects.has(word) || effects.has(pair) ||
        this.#inWith && effectsInWith.has(word) ||
        this.#verb === "EXPLAIN" && explained.has(word);
      this.#intoSelect ||= word === "INTO" && this.#verb === "SELECT";
      this.#returning ||= word === "RETURNING";
    }
    this.takeQualified(word, depth);
    this.#latest = word;
  }

  /** Takes the name behind a dot, which is no keyword, but may be a variable of the session. */
  takeQualified(word: string, depth: number): void {
    this.#autocommit ||= word === "AUTOCOMMIT" && depth === 0 && this.first === "SET";
  }

  /** Whether it has no word. */
  get isEmpty(): boolean {
    return this.#verb === undefined;
  }

  /** Its first word. */
  get first(): string | undefined {
    return this.#head[0];
  }

  /** What of it begins or ends a transaction; undefined if nothing does. */
  get control(): string | undefined {
    if (this.#autocommit) return "SET AUTOCOMMIT";
    return this.#rules.control.find((words) => this.#beginsWith(words));
  }

  /** What of it changes the connection that it runs on; undefined if nothing does. */
  get session(): string | undefined {
    const { session, passing } = this.#rules;
    const found = Object.keys(session).find((words) => this.#beginsWith(words));
    return passing.some((words) => this.#beginsWith(words)) ? undefined : found;
  }

  #beginsWith(words: string): boolean {
    return `${this.#head.join(" ")} `.startsWith(`${words} `);
  }

  /** Whether it only reads. */
  get reads(): boolean {
    return this.#verb !== undefined && this.#rules.reads.has(this.#verb) && !this.#effects;
  }

  /** Whether it may return rows. */
  get returnsRows(): boolean {
    if (this.#returning) return true;
    const { reads, rows } = this.#rules;
    const verb = this.#verb ?? "";
    return rows.has(verb) || reads.has(verb) && !this.#intoSelect;
  }
}
