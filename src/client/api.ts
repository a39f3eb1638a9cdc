/** What programs see: a client, its rooms, and the options of both. */
import type {
  Contract,
  DataAnd,
  Frames,
  Messages,
  OperationName,
  PresenceData,
  RequestData,
  ResponseData,
  RoomFrames,
  RoomMember,
  RoomMessage,
  RoomName,
} from "./contract.ts";
import type { WeirError } from "./error.ts";
import type { Frame } from "./frame.ts";
import type { Status, TokenSource } from "./link.ts";
import type { Limits } from "./requests.ts";
import type { JoinOptions, Position } from "./seat.ts";

/** How a client connects. */
export interface ConnectOptions {
  /**
   * The token, or what returns one. A function is asked for each connection, and again before the token
   * expires.
   */
  readonly token?: TokenSource;
  /**
   * Where the connector's `auth.from` looks for it: a subprotocol by default, or a parameter of the
   * URL, such as `query:token`.
   */
  readonly tokenIn?: "protocol" | `query:${string}`;
}

/** How something is sent. */
export interface SendOptions {
  /** The `room` of the frame, which flows read as `input.room`. */
  readonly room?: string;
  /** The id of the message, which flows read as `input.message_id`; at most 128 characters. */
  readonly messageId?: string;
}

/** How a request is sent. */
export interface RequestOptions extends SendOptions, Limits {
  /**
   * Sends it again on the next connection, with the same `message_id`, if the connection goes before
   * the answer. A flow with `dedupe { key = "input.message_id" }` then serves it once.
   */
  readonly retry?: boolean;
}

/** Ends what it was returned for. */
export type Unsubscribe = () => void;

/** A connection to a server that comes back by itself. `connect` makes one. */
export interface Client<C extends Contract = Contract> {
  /** What it is doing. */
  readonly status: Status;
  /**
   * Sends a request and returns what its flow answers. It rejects with a `WeirError`, or with the
   * reason of its signal.
   */
  request<N extends OperationName<C>>(
    operation: N,
    ...rest: DataAnd<RequestData<C, N>, RequestOptions>
  ): Promise<ResponseData<C, N>>;
  /** Sends a message without an answer. Throws a `WeirError` where too much waits, or after the end. */
  send<N extends OperationName<C>>(
    operation: N,
    ...rest: DataAnd<RequestData<C, N>, SendOptions>
  ): void;
  /**
   * Joins a room, on this connection and on each that follows. It waits for the connection, and rejects
   * where the server refuses the join.
   */
  join<N extends RoomName<C>>(
    name: N,
    options?: JoinOptions<PresenceData<C, N>>,
  ): Promise<Room<C, JoinedName<C, N>>>;
  /**
   * Each change of the status; `reason` says why it waits or is closed, and its `retryAfter` when it
   * tries again.
   */
  on(event: "status", handler: (status: Status, reason?: WeirError) => void): Unsubscribe;
  /** What the server refuses without saying which request it was: what `send` has sent. */
  on(event: "error", handler: (error: WeirError) => void): Unsubscribe;
  /** Messages to everybody and to this user, and to rooms that a flow has joined. */
  on(event: "message", handler: (data: Messages<C>, frame: Frame) => void): Unsubscribe;
  /** The same for frames of another type. */
  on<T extends keyof Frames<C> & string>(
    event: T,
    handler: (data: Frames<C>[T], frame: Frame) => void,
  ): Unsubscribe;
  /**
   * Connects at once in the place of waiting, as for a button "Try now". It does not where the server
   * has said when to come back. An open connection is asked for a sign of life.
   */
  retry(): void;
  /** Ends the connection and all that waits. */
  close(): void;
}

/** What a frame of presence says. */
export interface PresenceChange<M> {
  /** How many members there are. */
  readonly count: number;
  /** The whole list; absent in a change, and above the room's `max`. */
  readonly members?: readonly M[];
  /** New members. */
  readonly joined?: readonly M[];
  /** Members that have left, with their `user_id` or `key` alone. */
  readonly left?: readonly { readonly user_id?: string; readonly key?: string }[];
  /** Members that are different now. */
  readonly changed?: readonly M[];
}

/** The type of a joined room's name: without a contract all rooms are alike. */
export type JoinedName<C extends Contract, N extends RoomName<C>> = string extends RoomName<C>
  ? RoomName<C>
  : N;

/** A room that was joined. In a loop it yields the data of its messages, until it is left. */
export interface Room<C extends Contract = Contract, N extends RoomName<C> = RoomName<C>>
  extends AsyncIterable<RoomMessage<C, N>> {
  /** Its name. */
  readonly name: N;
  /** Who is in it, if the join has asked for `presence`. */
  readonly members: readonly RoomMember<C, N>[];
  /** How many are in it; `members` is empty above the room's `max`. */
  readonly count: number;
  /** Where its history is, to `join` there later; undefined in a room without history. */
  readonly position: Position | undefined;
  /** Each message. What came before the first handler was added is not lost. */
  on(event: "message", handler: (data: RoomMessage<C, N>, frame: Frame) => void): Unsubscribe;
  /** `members` has changed. */
  on(
    event: "presence",
    handler: (change: PresenceChange<RoomMember<C, N>>) => void,
  ): Unsubscribe;
  /** Messages are missing and cannot be had: load what is shown anew. */
  on(event: "resync", handler: () => void): Unsubscribe;
  /** The room could not be joined again: nothing follows. */
  on(event: "error", handler: (error: WeirError) => void): Unsubscribe;
  /** Messages with another type of frame. */
  on<T extends keyof RoomFrames<C, N> & string>(
    event: T,
    handler: (data: RoomFrames<C, N>[T], frame: Frame) => void,
  ): Unsubscribe;
  /** Tells the room something of this client, where the room's `presence` has `data`. */
  setPresence(data: PresenceData<C, N> & object): Promise<void>;
  /** Leaves it. Other handles of the same room go on. */
  leave(): Promise<void>;
}
