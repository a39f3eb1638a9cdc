/** Building an object by named expressions. */
import { isObject } from "../base/json.ts";
import type { NamedExpression } from "../model/mod.ts";
import { asScope, type RunScope } from "./run.ts";

/** Line by line, since each may use the lines above it as `output`. */
export function build(
  lines: readonly NamedExpression[],
  scope: RunScope,
): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  scope.output = output;
  for (const [name, value] of lines) setField(output, name, value.evaluate(asScope(scope)));
  return output;
}

/**
 * The same for one destination: `output` is the flow's payload, and the lines above where they have
 * the same name. The flow's own scope stays as it is.
 */
export function reshape(
  lines: readonly NamedExpression[],
  scope: RunScope,
): Record<string, unknown> {
  const built: Record<string, unknown> = {};
  const seen = isObject(scope.output) ? { ...scope.output } : {};
  const inner = scope.withOutput(seen);
  for (const [name, value] of lines) {
    const result = value.evaluate(asScope(inner));
    setField(built, name, result);
    setField(seen, name, result);
  }
  return built;
}

/** All expressions on one scope, none of which sees the others. */
export function evaluateAll(
  items: readonly NamedExpression[],
  scope: RunScope,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of items) setField(fields, name, value.evaluate(asScope(scope)));
  return fields;
}

/** A field called `__proto__` is a field like any other; all else can be set the fast way. */
function setField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") fields[name] = value;
  else {
    const property = { value, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(fields, name, property);
  }
}
