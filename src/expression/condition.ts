/** Evaluates the conditions `filter` and `when`. */
import { kindName } from "../base/shown.ts";
import { ExpressionError } from "../base/errors.ts";
import type { Expression, Scope } from "./mod.ts";

/**
 * Whether a condition is true. Null, as a missing field reads, counts as false.
 *
 * @throws {ExpressionError} The condition fails, or is not true, false or null.
 */
export function holds(condition: Expression, scope: Scope): boolean {
  const value = condition.evaluate(scope);
  if (typeof value === "boolean") return value;
  if (value === null) return false;
  throw new ExpressionError(
    condition.source,
    `"${condition.source}" must be true or false, got ${kindName(value)}`,
  );
}
