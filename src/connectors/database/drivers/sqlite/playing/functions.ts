/** The functions of PostgreSQL and MySQL that SQLite lacks, or has with another meaning. */
import { Buffer } from "node:buffer";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Clock } from "../../../../../base/clock.ts";
import type { Syntax } from "../../../driver.ts";

type Implementation = (...values: SQLInputValue[]) => SQLInputValue;

/** Allowed wherever a constant is; the time does not change while a statement runs. */
const CONSTANT = { deterministic: true, varargs: true };
const CHANGING = { deterministic: false, varargs: true };

/** The functions of a played database. */
export class PlayedFunctions {
  /** Its operator `->` finds a member of a document. */
  readonly #builtIn = new DatabaseSync(":memory:");
  readonly #member = this.#builtIn.prepare("SELECT ?1 -> ?2 AS member");

  /** Adds them to a connection, with the time of `clock`. */
  constructor(database: DatabaseSync, syntax: Syntax, clock: Clock) {
    const now = () => new Date(clock.now()).toISOString();
    const add = (names: string, implementation: Implementation, options = CONSTANT) => {
      for (const name of names.split(" ")) database.function(name, options, implementation);
    };
    // A time must sort with those that flows write, which SQLite's own has another form than.
    add("now", now);
    database.function("current_timestamp", now);
    // SQLite's own leave all letters but those of ASCII alone.
    add("lower", (value) => typeof value === "string" ? value.toLowerCase() : value ?? null);
    add("upper", (value) => typeof value === "string" ? value.toUpperCase() : value ?? null);
    add(
      "char_length character_length",
      (value) => value === null ? null : [...textOf(value)].length,
    );
    // SQLite's own makes a number of a number, which then equals no text.
    add("->>", (document, path) => this.#memberText(document, path));
    if (syntax === "mysql") {
      add("utc_timestamp", now);
      add("uuid", () => crypto.randomUUID(), CHANGING);
      add("concat", (...values) => values.includes(null) ? null : values.map(textOf).join(""));
      add("length", (value) => value === null ? null : byteLength(value));
    } else {
      add("transaction_timestamp statement_timestamp clock_timestamp", now);
      add("gen_random_uuid uuid_generate_v4", () => crypto.randomUUID(), CHANGING);
      // LIKE tells upper case from lower case in PostgreSQL.
      database.exec("PRAGMA case_sensitive_like = ON");
    }
  }

  /** Closes what they use. */
  close(): void {
    this.#builtIn.close();
  }

  #memberText(document: SQLInputValue, path: SQLInputValue): SQLInputValue {
    // A plain number is bound as a real, which is no index of a list.
    const key = typeof path === "number" ? BigInt(path) : path;
    const member = this.#member.get(document, key)?.member;
    if (typeof member !== "string") return null;
    const value: unknown = JSON.parse(member);
    return value === null ? null : typeof value === "string" ? value : member;
  }
}

function textOf(value: SQLInputValue): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value);
}

function byteLength(value: SQLInputValue): number {
  return value instanceof Uint8Array ? value.byteLength : Buffer.byteLength(textOf(value));
}
