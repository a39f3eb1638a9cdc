/** Expressions that decide: `filter` and `when`. */
import { ExpressionError } from "../base/errors.ts";
import type { Expression, Scope } from "./mod.ts";

const KINDS: Readonly<Record<string, string>> = {
  number: "a number",
  object: "an object",
  string: "text",
};

/**
 * Whether a condition holds. Null, which is what a missing field reads as, does not.
 *
 * @throws {ExpressionError} It fails, or gives neither true, false nor null.
 */
export function holds(condition: Expression, scope: Scope): boolean {
  const value = condition.evaluate(scope);
  if (typeof value === "boolean") return value;
  if (value === null) return false;
  const kind = Array.isArray(value) ? "a list" : KINDS[typeof value] ?? typeof value;
  throw new ExpressionError(
    condition.source,
    `"${condition.source}" gives ${kind}, not true or false`,
  );
}
