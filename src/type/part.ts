/** Checks a field of an object or an item of an array, which may be absent. */
import type * as v from "valibot";
import type { Fallback } from "./fallback.ts";
import { MAX_VIOLATIONS, run, type Schema } from "./schema.ts";

/** A compiled part. */
export interface CompiledPart {
  /** What it must be where it is there. */
  readonly schema: Schema;
  /** True where it must be there, if it has no default. */
  readonly required: boolean;
  /** What is filled in where it is absent. */
  readonly fallback: Fallback | undefined;
}

/** Takes the issues of one object or array, as far as there is room. */
export class Issues {
  readonly #add: v.RawTransformContext<unknown>["addIssue"];
  #room = MAX_VIOLATIONS;

  /** Hands them on to valibot. */
  constructor(addIssue: v.RawTransformContext<unknown>["addIssue"]) {
    this.#add = addIssue;
  }

  /** True when no more are taken. */
  get full(): boolean {
    return this.#room === 0;
  }

  /** Takes what is wrong with the value at `key`, or with one below it. */
  add(key: string | number, message: string, below: readonly v.IssuePathItem[] = []): void {
    if (this.full) return;
    this.#room--;
    const here: v.UnknownPathItem = {
      type: "unknown",
      origin: "value",
      input: undefined,
      key,
      value: undefined,
    };
    this.#add({ message, path: [here, ...below] });
  }
}

/** The value as it is used; what is wrong with it goes to `issues`. Null counts as absent. */
export function checkPart(
  part: CompiledPart,
  value: unknown,
  key: string | number,
  issues: Issues,
): unknown {
  if (value === undefined || value === null) {
    if (part.fallback !== undefined) return part.fallback.value();
    if (part.required) issues.add(key, "is missing");
    return value;
  }
  const result = run(part.schema, value);
  if (result.success) return result.output;
  for (const { message, path } of result.issues) issues.add(key, message, path);
  return value;
}
