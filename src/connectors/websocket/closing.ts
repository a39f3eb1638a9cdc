/** The codes and reasons of closes and refusals: what the client gets, and what is counted. */
import { type FlowError, isRefusal } from "../../base/errors.ts";
import { refuse } from "../../transport/handshake.ts";
import {
  type HandshakeRefusal,
  type SocketFeatures,
  TOO_MUCH_WAITS,
} from "../../transport/socket.ts";
import type { Counter } from "./counters.ts";
import type { FrameId, Refusal } from "./protocol.ts";

/** Why a connection has ended. */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

/** The reason with which a flow disconnects a client. */
export const BY_FLOW = "disconnected by a flow";

/** A closing socket on which nothing moves is destroyed after this time, in milliseconds. */
export const CLOSE_PATIENCE = 10_000;
/** The same while the server shuts down. */
export const SHUTDOWN_PATIENCE = 3_000;

/** The code that `close` gets where the close frame had none, and where there was no frame. */
const NO_CODE = 1005;
const NO_FRAME = 1006;
/** Added to a close code where the runtime cannot send the protocol's own codes. */
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

/** These reasons distinguish closes that share a code. */
export const TOO_MANY_ERRORS = "too many errors";
/** The client sent far more than `rate_limit` allows. */
export const OVER_RATE = "too many messages";
/** The client is considered dead. */
export const NO_PONG = "no pong in time";
/** The runtime threw an error when the socket was used. */
export const SOCKET_FAILED = "the socket failed";
/** Nothing that the other instances send to the user could reach the client. */
export const CANNOT_SUBSCRIBE = "the backplane cannot subscribe the user";
/** The client did not renew its token in time. */
export const TOKEN_EXPIRED = "token expired";

const BY_REASON: ReadonlyMap<string, Counter> = new Map([
  [TOO_MANY_ERRORS, "closed_errors"],
  [OVER_RATE, "closed_rate"],
  [TOO_MUCH_WAITS, "closed_waiting"],
  [NO_PONG, "closed_pong"],
  [SOCKET_FAILED, "closed_failed"],
  [TOKEN_EXPIRED, "closed_expired"],
  [CANNOT_SUBSCRIBE, "closed_backplane"],
]);
const BY_CODE: ReadonlyMap<number, Counter> = new Map([
  [1001, "closed_shutdown"],
  [1002, "closed_invalid"],
  [1003, "closed_binary"],
  [1007, "closed_invalid"],
  [1009, "closed_size"],
  [1013, "closed_slow"],
]);

/** The counter of a close by the connector; undefined for none. Other reasons come from flows. */
export function counterOfClosing({ code, reason }: CloseReason): Counter | undefined {
  return BY_REASON.get(reason) ?? BY_CODE.get(code) ?? (code === 1006 ? undefined : "closed_flow");
}

/** The counter of a close by the runtime itself because of what the client sent. */
export function counterOfProtocolError({ code, reason }: CloseReason): Counter | undefined {
  if (code === 1008) return reason === TOO_MUCH_WAITS ? "closed_waiting" : "closed_fragments";
  return code === 1001 || code === 1013 ? undefined : BY_CODE.get(code);
}

/**
 * Whether a client does not come back: it has closed the connection itself, and not because its page
 * ends (1001), or a flow has disconnected it. `ours` is the server's own reason.
 */
export function endsForGood(ours: CloseReason | undefined, code: number): boolean {
  return ours === undefined ? code === 1000 || code === NO_CODE : ours.reason === BY_FLOW;
}

/** The answer to a frame whose flow has failed. Its `details` are the flow's `error_response`. */
export function frameRefusal(error: FlowError, id: FrameId | undefined): Refusal {
  const { code, details, answer, outage } = error;
  return { code, message: messageOf(error), id, details: answer?.body ?? details, outage };
}

/**
 * The answer to a handshake whose flow has failed: the status that its `error_response` or its
 * `reject` says, else 403 where the flow refuses it, 503 where it took too long, and 500.
 */
export function handshakeRefusal(error: FlowError): HandshakeRefusal {
  const refusal = plainRefusal(error);
  const details = error.answer?.body ?? error.details;
  return details === undefined ? refusal : { ...refusal, details };
}

/** The codes of refusals that have none, by their status. */
const CODES: Readonly<Record<number, string>> = {
  400: "invalid_message",
  401: "unauthorized",
  403: "rejected",
  503: "unavailable",
};

/** The code of the error that a refusal is. */
export function refusalCode({ status, code }: HandshakeRefusal): string {
  return code ?? CODES[status] ?? "flow_failed";
}

function plainRefusal(error: FlowError): HandshakeRefusal {
  const message = messageOf(error);
  const status = error.answer?.status ?? error.status;
  const { code } = error;
  if (status !== undefined) return refuse(status, message, {}, code);
  if (isRefusal(error) || code === "validation_failed") return refuse(403, message, {}, code);
  return code === "timeout" ? tooLate(message, code) : refuse(500, message, {}, code);
}

/** The answer to a handshake that could not be decided in time. */
export function tooLate(message: string, code?: string): HandshakeRefusal {
  return refuse(503, message, { "retry-after": "1" }, code);
}

/** The `message` of the flow's `error_response`, where that is text. */
function messageOf({ message, answer }: FlowError): string {
  const own = answer?.body?.["message"];
  return typeof own === "string" ? own : message;
}
