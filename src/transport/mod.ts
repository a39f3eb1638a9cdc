/**
 * WebSockets and streams of events: the handshake, frames, compression, and an adapter for the
 * sockets of each runtime.
 *
 * May import base/.
 */
export type {
  StreamAcceptance,
  StreamAnswer,
  StreamEndpoint,
  StreamRefusal,
} from "./event-stream.ts";
export { Frame } from "./frame.ts";
export type { AddressSource, ReceivedHandshake, Upgrader } from "./handshake.ts";
export type {
  Batch,
  Handshake,
  HandshakeAcceptance,
  HandshakeRefusal,
  HandshakeRequest,
  Peer,
  SocketEndpoint,
  SocketFeatures,
  SocketSession,
  VouchedClient,
} from "./socket.ts";
export { connectStandardSocket, STANDARD_FEATURES } from "./standard.ts";
