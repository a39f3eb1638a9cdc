/** What a client is told of a flow that has refused it or failed. */
import type { FlowError } from "../../base/errors.ts";
import { refuse } from "../../transport/handshake.ts";
import type { FrameId, Refusal } from "./protocol.ts";
import type { HandshakeRefusal } from "../../transport/socket.ts";

/** The answer to a frame. A flow's `error_response` stands in it as `details`. */
export function frameRefusal(error: FlowError, id: FrameId | undefined): Refusal {
  const { code, details, answer, outage } = error;
  return { code, message: messageOf(error), id, details: answer?.body ?? details, outage };
}

/** The answer to a handshake: 403 where it is refused, 503 where that took too long, else 500. */
export function handshakeRefusal(error: FlowError): HandshakeRefusal {
  const message = messageOf(error);
  if (error.code === "rejected") return refuse(403, message);
  return error.code === "timeout" ? tooLate(message) : refuse(500, message);
}

/** The answer to a handshake that could not be decided in time. */
export function tooLate(message: string): HandshakeRefusal {
  return refuse(503, message, { "retry-after": "1" });
}

/** What the flow's `error_response` has as `message`, where that is text. */
function messageOf({ message, answer }: FlowError): string {
  const own = answer?.body?.["message"];
  return typeof own === "string" ? own : message;
}
