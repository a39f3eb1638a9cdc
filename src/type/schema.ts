/** How the schemas of types are run, and what their issues are called outside. */
import { quoted, shown } from "../base/shown.ts";
import * as v from "valibot";
import type { Violation } from "./mod.ts";

/** A compiled kind. What it gives is the value itself, unless defaults were filled in. */
export type Schema = v.GenericSchema<unknown, unknown>;

/** At most so many violations of one value are told: a hostile value could have millions. */
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
