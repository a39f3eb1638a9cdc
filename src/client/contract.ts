/** The types of what a client and its server say to each other. */

/**
 * What a client may send and what it gets, as a type: `connect<Shop>(…)` checks names and data at
 * compile time. Every part may be left out; without a contract everything is `unknown`.
 *
 * @example
 * ```ts
 * import { type Client, connect } from "@weir/runtime/client";
 *
 * interface Shop {
 *   operations: {
 *     place_order: { request: { item: number }; response: { id: string } };
 *     typing: { request: { room: string } };
 *   };
 *   rooms: {
 *     [room: `chat:${string}`]: { message: { text: string } };
 *   };
 *   messages: { notice: string };
 * }
 *
 * const open = (): Client<Shop> => connect<Shop>("wss://example.com/ws");
 * ```
 */
export interface Contract {
  /** Each operation with what it takes (`request`) and what it answers (`response`). */
  readonly operations?: object;
  /**
   * Each room, or pattern of rooms, with its `message`, the `frames` of other types, the `member`
   * that presence shows, and the `presence` that a client tells of itself.
   */
  readonly rooms?: object;
  /** What everybody and users get. */
  readonly messages?: unknown;
  /** The same with frames of other types: each type with its data. */
  readonly frames?: object;
}

/** The parts of a contract, or `Free` where there is no contract, or nothing where it lacks the part. */
export type Part<C, Name extends string, Free> = Contract extends C ? Free
  : Name extends keyof C ? NonNullable<C[Name]>
  : Record<never, never>;

/** A part of an operation or a room; `Missing` where it has none. */
export type Field<T, Name extends string, Missing> = Name extends keyof T ? T[Name] : Missing;

/** The operations of a contract. */
export type Operations<C> = Part<
  C,
  "operations",
  Record<string, { readonly request: unknown; readonly response: unknown }>
>;

/** The name of an operation. */
export type OperationName<C> = keyof Operations<C> & string;

/** What an operation takes. */
export type RequestData<C, N extends OperationName<C>> = Field<
  Operations<C>[N],
  "request",
  undefined
>;

/** What an operation answers. */
export type ResponseData<C, N extends OperationName<C>> = Field<
  Operations<C>[N],
  "response",
  undefined
>;

/** The data and the options of a call: the data can be left out where it may be undefined. */
export type DataAnd<Data, Options> = undefined extends Data ? [data?: Data, options?: Options]
  : [data: Data, options?: Options];

/** The rooms of a contract. */
export type Rooms<C> = Part<
  C,
  "rooms",
  Record<
    string,
    {
      readonly message: unknown;
      readonly frames: Record<string, unknown>;
      readonly member: Member;
      readonly presence: unknown;
    }
  >
>;

/** The name of a room. */
export type RoomName<C> = keyof Rooms<C> & string;

/** What a room's members get. */
export type RoomMessage<C, N extends RoomName<C>> = Field<Rooms<C>[N], "message", unknown>;

/** The types of other frames of a room. */
export type RoomFrames<C, N extends RoomName<C>> = Field<
  Rooms<C>[N],
  "frames",
  Record<never, never>
>;

/** A member of a room, as presence shows it. */
export type RoomMember<C, N extends RoomName<C>> = Field<Rooms<C>[N], "member", Member>;

/** What a client can tell of itself in a room. */
export type PresenceData<C, N extends RoomName<C>> = Field<Rooms<C>[N], "presence", never>;

/** What everybody and users get. */
export type Messages<C> = Contract extends C ? unknown : Field<C, "messages", unknown>;

/** The types of other frames for everybody and users. */
export type Frames<C> = Part<C, "frames", Record<string, unknown>>;

/** A member of a room: a user, or a connection without one. */
export interface Member {
  /** Of a user. */
  readonly user_id?: string;
  /** Of a connection without a user: made for this room. */
  readonly key?: string;
  /** How many connections it has in the room. */
  readonly connections: number;
  /** What the server tells of it. */
  readonly info?: unknown;
  /** What it tells of itself. */
  readonly data?: unknown;
}
