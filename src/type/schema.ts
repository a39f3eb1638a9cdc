/** How the schemas of types run: violations, defaults, and parts that may be absent. */
import { quoted, shown } from "../base/shown.ts";
import type { Violation } from "./mod.ts";
import * as v from "valibot";

/** A compiled kind. Its result is the value itself, unless defaults were filled in. */
export type Schema = v.GenericSchema<unknown, unknown>;

/** The most violations that are reported for one value: a hostile value could have millions. */
export const MAX_VIOLATIONS = 100;

/** A host that embeds Weir may have changed valibot's global settings. */
const CONFIG = { abortEarly: false, abortPipeEarly: false } as const;

/** Checks a value. */
export function run(schema: Schema, value: unknown): v.SafeParseResult<Schema> {
  return v.safeParse(schema, value, CONFIG);
}

/** The first violations in the order found. */
export function violationsOf(issues: readonly v.BaseIssue<unknown>[]): Violation[] {
  return issues.slice(0, MAX_VIOLATIONS).map(({ path = [], message }) => ({
    path: path.map(({ key }, index) => step(key, index === 0)).join(""),
    message,
  }));
}

/** One step of a path, such as `.name`, `[0]` or `["first name"]`. */
function step(key: unknown, first: boolean): string {
  if (typeof key === "number") return `[${key}]`;
  const name = shown(key);
  if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name)) return `[${quoted(key)}]`;
  return first ? name : `.${name}`;
}

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

  /** Fills in the defaults inside it. Returns what is wrong with it. */
  complete(): readonly Violation[] {
    if (this.#state !== "written") return this.#violations;
    this.#state = "completing";
    const result = run(this.#schema, this.#value);
    this.#state = "complete";
    if (result.success) this.#value = result.output;
    else this.#violations = violationsOf(result.issues);
    return this.#violations;
  }

  /** The value to fill in: a copy, since the receiver may change it. */
  value(): unknown {
    this.complete();
    if (this.#state === "completing") {
      this.#violations = [{ path: "", message: "would contain itself" }];
    }
    return typeof this.#value === "object" ? structuredClone(this.#value) : this.#value;
  }
}

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
