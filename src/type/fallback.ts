/** The default of a field or item, whose own fields may have defaults again. */
import type { Violation } from "./mod.ts";
import { run, type Schema, violationsOf } from "./schema.ts";

/** A default, checked and completed once, when the configuration is read. */
export class Fallback {
  readonly #schema: Schema;
  #value: unknown;
  #state: "written" | "completing" | "complete" = "written";
  #violations: readonly Violation[] = [];

  /** `written` is the default as the configuration says it. */
  constructor(schema: Schema, written: unknown) {
    this.#schema = schema;
    this.#value = written;
  }

  /** Fills in the defaults inside it; gives what is wrong with it. */
  complete(): readonly Violation[] {
    if (this.#state !== "written") return this.#violations;
    this.#state = "completing";
    const result = run(this.#schema, this.#value);
    this.#state = "complete";
    if (result.success) this.#value = result.output;
    else this.#violations = violationsOf(result.issues);
    return this.#violations;
  }

  /** What is filled in: a copy, since who gets it may change it. */
  value(): unknown {
    this.complete();
    if (this.#state === "completing") {
      this.#violations = [{ path: "", message: "would be filled into itself without end" }];
    }
    return typeof this.#value === "object" ? structuredClone(this.#value) : this.#value;
  }
}
