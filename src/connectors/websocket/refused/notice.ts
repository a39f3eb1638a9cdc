/** What a refused client is told on its WebSocket: an error frame and a close code. No I/O. */
import type { Frame } from "../../../transport/frame.ts";
import type { HandshakeRefusal } from "../../../transport/socket.ts";
import { refusalCode } from "../closing.ts";
import { errorFrame, type Refusal } from "../protocol.ts";

/** The error frame and the close frame of one refusal. */
export interface Notice {
  readonly frame: Frame;
  readonly closeCode: number;
  /** The code of the error: a close frame has no room for its message. */
  readonly reason: string;
}

/** The client needs another token. */
const UNAUTHORIZED = 4401;
/** Nothing gets better by trying again. */
const FORBIDDEN = 4403;
/** The client may try again later. */
const UNAVAILABLE = 4503;

/** The close codes of errors; that of any other, such as a flow's own, is `FORBIDDEN`. */
const CLOSE_CODES: ReadonlyMap<string, number> = new Map([
  ["unauthorized", UNAUTHORIZED],
  ["unavailable", UNAVAILABLE],
  ["timeout", UNAVAILABLE],
  ["flow_failed", UNAVAILABLE],
]);

/** The errors with `retry_after_ms`. */
const TEMPORARY: ReadonlySet<string> = new Set(["unavailable", "timeout"]);
/** For a refusal without `Retry-After`, in seconds. */
const RETRY_AFTER = "1";

/** A frame has at most this many bytes, since up to a thousand of them may wait in the kernel. */
const MAX_SIZE = 64 * 1024;
/** A message that makes the frame larger is cut to this length. */
const SHORT_MESSAGE = 1_000;

/** What a client is told of its refusal. */
export function noticeOf(refusal: HandshakeRefusal): Notice {
  const { message, headers, details } = refusal;
  const code = refusalCode(refusal);
  const retryAfter = TEMPORARY.has(code)
    ? { retryAfter: Number(headers["retry-after"] ?? RETRY_AFTER) * 1_000 }
    : {};
  const frame = frameOf({ code, message, details, ...retryAfter }) ??
    frameOf({ code, message, ...retryAfter }) ??
    errorFrame({ code, message: `${message.slice(0, SHORT_MESSAGE)}…`, ...retryAfter });
  return { frame, closeCode: CLOSE_CODES.get(code) ?? FORBIDDEN, reason: code };
}

/** Undefined where the frame is too large, or the details cannot be JSON. */
function frameOf(refusal: Refusal): Frame | undefined {
  try {
    const frame = errorFrame(refusal);
    return frame.size > MAX_SIZE ? undefined : frame;
  } catch {
    return undefined;
  }
}
