/** The error of everything that the server refuses and of everything that could not be served. */

import type { Frame } from "./frame.ts";

/**
 * Why something was not served. `code` is one of the protocol's, a code of the flow, or one of the
 * library's own:
 *
 * | code           | because                                                                       |
 * | -------------- | ----------------------------------------------------------------------------- |
 * | `disconnected` | the connection went before the answer came: it may or may not have been served |
 * | `timeout`      | no answer came in time (also the server's code for a flow that takes too long) |
 * | `queue_full`   | too much waits for a connection                                               |
 * | `closed`       | the client was closed, or what it asks for can never be served                |
 */
export class WeirError extends Error {
  /** Stable, and meant for programs. */
  declare readonly code: string;
  /** What the server adds, such as each field that is not valid. */
  declare readonly details: unknown;
  /** The reference in the server's log, if it gave one. */
  declare readonly ref: string | undefined;
  /** When it may be tried again, in milliseconds, if that is known. */
  declare readonly retryAfter: number | undefined;

  /** Makes one. */
  constructor(code: string, message: string, details?: unknown, retryAfter?: number) {
    super(message);
    const ref = /\(ref (\w+)\)$/.exec(message)?.[1];
    Object.assign(this, { name: "WeirError", code, details, retryAfter, ref });
  }
}

/** The error that a frame describes. Whatever is missing or wrong in it is left out. */
export function errorOf(
  { code, message, details, retry_after_ms: wait }: Partial<Frame>,
): WeirError {
  return new WeirError(
    typeof code === "string" ? code : "",
    typeof message === "string" ? message : "",
    details,
    typeof wait === "number" ? wait : undefined,
  );
}
