/** The `message_id` of a destination. No I/O. */
import { ConnectorError } from "../../../base/errors.ts";
import { kindName } from "../../../base/shown.ts";
import { isLongerThan } from "../../../base/text.ts";
import type { Expression, Scope } from "../../../expression/mod.ts";

/** The longest id, in bytes. */
const LONGEST = 255;

/**
 * The id of one message; undefined where the expression returns null.
 *
 * @throws {ConnectorError} It is no id.
 * @throws {ExpressionError} The expression failed.
 */
export function messageIdOf(
  connector: string,
  expression: Expression,
  scope: Scope,
): string | undefined {
  const value = expression.evaluate(scope);
  if (value === null) return undefined;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const what = `the message_id "${expression.source}" is`;
  if (typeof value !== "string") {
    fail(connector, `${what} ${kindName(value)}, not text or a number`);
  }
  if (value === "") fail(connector, `${what} empty`);
  if (isLongerThan(value, LONGEST)) fail(connector, `${what} longer than ${LONGEST} bytes`);
  return value;
}

function fail(connector: string, message: string): never {
  throw new ConnectorError(connector, message, { permanent: true });
}
