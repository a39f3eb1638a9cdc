/** The operation `history` of a `step`: the newest messages of a room as a list. No I/O. */
import type { Keep } from "../../../base/kept-messages.ts";
import { ConnectorError } from "../../../base/errors.ts";
import { isObject } from "../../../base/json.ts";
import type { CodedProblem, Destination } from "../../../contract/definition.ts";
import type { Found } from "./kept.ts";

/** The operation. */
export const HISTORY = "history";

/** A message in the result of a step. */
export interface Listed {
  readonly offset: number;
  readonly data: unknown;
}

/** The messages, oldest first. */
export function listOf({ newest, messages = [] }: Found): readonly Listed[] {
  const first = newest.offset - messages.length + 1;
  return messages.map(({ text }, index) => {
    const { data } = JSON.parse(text) as { readonly data: unknown };
    return { offset: first + index, data };
  });
}

/**
 * How many messages a step asks for: all without a `limit`.
 *
 * @throws {ConnectorError} The limit is no whole number of at least 1.
 */
export function readLimit(connector: string, params: unknown, { size }: Keep): number {
  const limit = isObject(params) ? params.limit : undefined;
  if (limit === undefined || limit === null) return size;
  const number = typeof limit === "bigint" ? Number(limit) : limit;
  if (typeof number === "number" && Number.isInteger(number) && number >= 1) {
    return Math.min(number, size);
  }
  const message = "history: params.limit must be a whole number of at least 1";
  throw new ConnectorError(connector, message, { permanent: true });
}

/** Checks a step with this operation. */
export function checkHistoryStep({ target, params }: Destination): CodedProblem[] {
  const problems: CodedProblem[] = [];
  if (target === undefined) {
    problems.push({ code: "missing-target", message: "needs a target: the room" });
  }
  if (params === undefined) {
    problems.push({
      code: "missing-attribute",
      message: "needs params: how many messages it asks for",
      hint: 'such as params = { limit = "20" }',
    });
  }
  const strangers = Object.keys(params ?? {}).filter((name) => name !== "limit");
  if (strangers.length > 0) {
    problems.push({
      code: "unknown-attribute",
      attribute: "params",
      message: `has params that history does not use: ${strangers.join(", ")}`,
      hint: "it uses limit",
    });
  }
  return problems;
}
