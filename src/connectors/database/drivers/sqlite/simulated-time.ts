/** The time of a test in SQL: `CURRENT_TIMESTAMP`, `datetime('now')` and all that read a clock. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Clock } from "../../../../base/clock.ts";

/** Functions whose argument at `time` is a time: `now` by default. */
const FUNCTIONS = [
  { name: "date", time: 0 },
  { name: "time", time: 0 },
  { name: "datetime", time: 0 },
  { name: "julianday", time: 0 },
  { name: "unixepoch", time: 0 },
  { name: "strftime", time: 1 },
] as const;

/** Keywords, each with the function that has its format. */
const KEYWORDS = {
  current_date: "date",
  current_time: "time",
  current_timestamp: "datetime",
} as const;

/** These words mean `now` with fractions of a second. */
const FRACTIONS = ["subsec", "subsecond"];

/**
 * Makes a connection read the time of a clock instead of the machine's. User functions of the same
 * names replace the built-in ones, for the keywords and in `DEFAULT` and triggers, too. The built-in
 * ones of another connection compute the results.
 */
export class SimulatedTime {
  readonly #clock: Clock;
  readonly #builtIn = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();

  /** `clock` is asked each time. */
  constructor(database: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    // With it they are allowed wherever the built-in ones are, such as in an index.
    const options = { deterministic: true, useBigIntArguments: true };
    for (const { name, time } of FUNCTIONS) {
      database.function(
        name,
        { ...options, varargs: true },
        (...values) => this.#call(name, this.#dated(values, time)),
      );
    }
    const moment = (value: SQLInputValue) => this.#moment(value);
    database.function(
      "timediff",
      options,
      (end, start) => this.#call("timediff", [end, start].map(moment)),
    );
    for (const [keyword, name] of Object.entries(KEYWORDS)) {
      database.function(keyword, () => this.#call(name, [this.#now]));
    }
  }

  /** Closes the other connection. */
  close(): void {
    this.#builtIn.close();
  }

  get #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  /** The values with the clock's time in place of `now`. */
  #dated(values: readonly SQLInputValue[], time: number): readonly SQLInputValue[] {
    if (values.length < time) return values;
    const [value = "now", ...modifiers] = values.slice(time);
    const dated = isWord(value, FRACTIONS) ? [this.#now, value] : [this.#moment(value)];
    return [...values.slice(0, time), ...dated, ...modifiers];
  }

  #moment(value: SQLInputValue): SQLInputValue {
    return isWord(value, ["now"]) ? this.#now : value;
  }

  #call(name: string, values: readonly SQLInputValue[]): SQLInputValue {
    const sql = `SELECT ${name}(${values.map(() => "?").join()}) AS result`;
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#builtIn.prepare(sql);
      // An integer must not come back as a REAL.
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement.get(...values)?.result ?? null;
  }
}

function isWord(value: SQLInputValue, words: readonly string[]): boolean {
  return typeof value === "string" && words.includes(value.toLowerCase());
}
