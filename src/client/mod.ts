/**
 * The client library: a connection to a `websocket` connector that comes back by itself, for browsers,
 * Deno, Bun and Node.
 *
 * May import no other folder.
 *
 * `connect.ts` makes a client, and `client.ts` joins its parts: `link.ts` connects, notices dead
 * connections and waits between attempts, `requests.ts` keeps what waits for a connection or an
 * answer, `rooms.ts` joins rooms again, and `seat.ts` is what one `join` returns. `platform.ts` is all
 * that it needs of a runtime, and `limits.ts` has its times and limits. `api.ts` and `contract.ts` are
 * types alone. Acknowledgements of messages belong into `client.ts` (`receive`), joins with `since`
 * into `rooms.ts` (`Position`).
 *
 * @example Ask, join a room, and read it
 * ```ts
 * import { connect, WeirError } from "@weir/runtime/client";
 *
 * const weir = connect("ws://localhost:9/ws", { token: () => "…" });
 * weir.on("status", (status, reason) => console.log(status, reason?.message));
 * async function chat() {
 *   const order = await weir.request("place_order", { item: 7 }, { retry: true });
 *   const room = await weir.join("chat:7", { presence: true });
 *   room.on("resync", () => console.log("load it anew"));
 *   for await (const message of room) console.log(order, message, room.members);
 * }
 * chat().catch((error) => console.log(error instanceof WeirError && error.code));
 * weir.close();
 * ```
 *
 * @module
 */
export { connect } from "./connect.ts";
export { WeirError } from "./error.ts";
export type {
  Client,
  ConnectOptions,
  JoinedName,
  PresenceChange,
  RequestOptions,
  Room,
  SendOptions,
  Unsubscribe,
} from "./api.ts";
export type {
  Contract,
  DataAnd,
  Field,
  Frames,
  Member,
  Messages,
  OperationName,
  Operations,
  Part,
  PresenceData,
  RequestData,
  ResponseData,
  RoomFrames,
  RoomMember,
  RoomMessage,
  RoomName,
  Rooms,
} from "./contract.ts";
export type { Frame } from "./frame.ts";
export type { Status, TokenSource } from "./link.ts";
export type { Limits } from "./requests.ts";
export type { JoinOptions, Position } from "./seat.ts";
