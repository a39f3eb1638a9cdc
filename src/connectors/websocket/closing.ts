/** The codes of a close: which one goes out, which one a `disconnect` flow is told, what is counted. */
import { type SocketFeatures, TOO_MUCH_WAITS } from "../../transport/socket.ts";
import type { Counter } from "./counters.ts";

/** Why a connection has ended. */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

/** After this time without any movement a closing socket is destroyed, in milliseconds. */
export const CLOSE_PATIENCE = 10_000;
/** The same while the server shuts down. */
export const SHUTDOWN_PATIENCE = 3_000;

/** What `close` gets where the close frame had no code, and where there was none. */
const NO_CODE = 1005;
const NO_FRAME = 1006;
/** What is added to a close code where the runtime sends none of the protocol's own. */
const WEAK_CODES = 3000;

/** The code that the adapter can send. */
export function sentCode({ closeCodes }: SocketFeatures, code: number): number {
  return closeCodes || code === 1000 ? code : code + WEAK_CODES;
}

/** The server's own reason, unless the client had closed already. */
export function closeReason(ours: CloseReason | undefined, seen: CloseReason): CloseReason {
  if (ours === undefined) return seen;
  const answers = [NO_CODE, NO_FRAME, ours.code, ours.code + WEAK_CODES];
  return answers.includes(seen.code) ? ours : seen;
}

/** The reasons that tell the closes with one code apart. */
export const TOO_MANY_ERRORS = "too many errors";
/** Far beyond `rate_limit`. */
export const OVER_RATE = "too many messages";
/** The client is taken for dead. */
export const NO_PONG = "no pong in time";
/** The runtime threw an error when the socket was used. */
export const SOCKET_FAILED = "the socket failed";
/** The client's token was not renewed in time. */
export const TOKEN_EXPIRED = "token expired";

const BY_REASON: ReadonlyMap<string, Counter> = new Map([
  [TOO_MANY_ERRORS, "closed_errors"],
  [OVER_RATE, "closed_rate"],
  [TOO_MUCH_WAITS, "closed_waiting"],
  [NO_PONG, "closed_pong"],
  [SOCKET_FAILED, "closed_failed"],
  [TOKEN_EXPIRED, "closed_expired"],
]);
const BY_CODE: ReadonlyMap<number, Counter> = new Map([
  [1001, "closed_shutdown"],
  [1002, "closed_invalid"],
  [1003, "closed_binary"],
  [1007, "closed_invalid"],
  [1009, "closed_size"],
  [1013, "closed_slow"],
]);

/** What counts a close of ours; undefined where nothing does. A flow gives reasons of its own. */
export function counterOfClosing({ code, reason }: CloseReason): Counter | undefined {
  return BY_CODE.get(code) ?? BY_REASON.get(reason) ?? (code === 1006 ? undefined : "closed_flow");
}

/** What counts a close by the runtime itself, for what the client sent. */
export function counterOfViolation({ code, reason }: CloseReason): Counter | undefined {
  if (code === 1008) return reason === TOO_MUCH_WAITS ? "closed_waiting" : "closed_fragments";
  return code === 1001 || code === 1013 ? undefined : BY_CODE.get(code);
}
