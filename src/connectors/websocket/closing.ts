/** The codes of a close: which one goes out, and which one a `disconnect` flow is told. */
import type { SocketFeatures } from "../../socket.ts";

/** Why a connection has ended. */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

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
