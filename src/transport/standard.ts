/** Sockets with the interface of the standard `WebSocket`, whichever runtime upgraded them. */
import type { Batch, Peer, SocketFeatures, SocketSession } from "./socket.ts";

/** The features that the standard interface lacks. */
export const STANDARD_FEATURES: SocketFeatures = {
  ping: false,
  terminate: false,
  pause: false,
  frameLimits: false,
  closeCodes: false,
  handshakeChecks: true,
};

/** A socket that does not open within this time, in milliseconds, is abandoned. */
const OPEN_TIMEOUT = 10_000;

/** Connects a socket that is opening or open to its session. */
export function connectStandardSocket(socket: WebSocket, session: SocketSession): void {
  let opened = false;
  // Deno reports nothing about a client that resets the connection right after its request.
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
    // Deno reports 0 if there was no close frame.
    if (opened) session.close(code || 1006, reason);
    else session.abandon();
  });
  // A close event follows every error.
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
