/** Peers made of standard `WebSocket`s, whatever runtime upgraded them. */
import type { Batch, Peer, SocketFeatures, SocketSession } from "./socket.ts";

/** What the standard interface leaves out. */
export const STANDARD_FEATURES: SocketFeatures = {
  ping: false,
  terminate: false,
  pause: false,
  frameLimits: false,
  closeCodes: false,
  handshakeChecks: true,
};

/** A socket that is not open after so many milliseconds never will be. */
const OPEN_TIMEOUT = 10_000;

/** Connects a socket that is opening or open to its session. */
export function connectStandardSocket(socket: WebSocket, session: SocketSession): void {
  let opened = false;
  // Deno tells nothing of a client that resets right after its request.
  const timer = setTimeout(() => session.abandon(), OPEN_TIMEOUT);
  const open = (): void => {
    clearTimeout(timer);
    opened = true;
    session.open(new StandardPeer(socket), STANDARD_FEATURES);
  };
  socket.addEventListener("open", open);
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") session.message(data);
    else session.binary();
  });
  socket.addEventListener("close", ({ code, reason }) => {
    clearTimeout(timer);
    // Deno says 0 where no close frame came.
    if (opened) session.close(code || 1006, reason);
    else session.abandon();
  });
  // The close event that follows says what there is to say.
  socket.addEventListener("error", () => {});
  if (socket.readyState === WebSocket.OPEN) open();
}

/** A connection on a standard `WebSocket`. */
class StandardPeer implements Peer {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(batch: Batch): number {
    if (this.#socket.readyState !== WebSocket.OPEN) return -1;
    for (const frame of batch.frames) this.#socket.send(frame.text);
    return this.#socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }
}
