/**
 * Connections as the rest of Weir sees them: the handshake, frames, sockets, and for each runtime
 * how its sockets become a `Peer`.
 *
 * May import base/.
 */
export { Frame } from "./frame.ts";
export type { AddressSource, ReceivedHandshake } from "./handshake.ts";
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
export type { Upgrader } from "./upgrader.ts";
