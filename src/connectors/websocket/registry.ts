/** The open connections of one connector: all of them, by client, by user and by room. No I/O. */
import type { Client } from "../../contract/connector.ts";
import type { Frame } from "../../transport/frame.ts";
import type { ClientState } from "./client.ts";
import { ExpectedJoins } from "./expected-joins.ts";
import type { Recipient } from "./outbox.ts";
import type { Refusal } from "./protocol.ts";

/** A connection as the other parts of the connector see it. */
export interface OpenConnection extends Recipient {
  /** Its client. Only the registry changes the rooms in it. */
  readonly state: ClientState;
  /** What expressions see of the client. */
  readonly client: Client;
  /** The client's id; undefined where nothing has asked for it, so that nothing can name it. */
  readonly id: string | undefined;
  /** Queues a frame. Returns false where the connection is no longer open. */
  send(frame: Frame): boolean;
  /**
   * Answers a frame with an error. Closes a connection that causes too many errors.
   *
   * @throws {TypeError | RangeError} The details are not JSON, or too large to send.
   */
  refuse(refusal: Refusal): undefined;
  /** Closes the connection after everything that is queued for it. */
  end(code: number, reason: string): void;
}

/** Is called with a group before its members change. */
type OnChange<Member> = (group: ReadonlySet<Member>) => void;

/** Is called when a membership has ended: the client has left, or else its connection ends. */
type OnLeave = (connection: OpenConnection, room: string, isLost: boolean) => void;

/** The open connections of one connector. */
export class Registry {
  readonly #all = new Set<OpenConnection>();
  #opened = 0;
  /** Those whose `id` something may know. */
  readonly #byId = new Map<string, OpenConnection>();
  readonly #onChange: OnChange<OpenConnection>;
  readonly #onRoomEnd: (room: string) => void;
  readonly #onLeave: OnLeave;
  /** Joins that wait for their room. */
  readonly expected: ExpectedJoins<OpenConnection> = new ExpectedJoins();
  readonly #users: Groups<OpenConnection>;
  readonly #rooms: Groups<OpenConnection>;

  /**
   * Calls `onChange` with a group before its members change, `onLeave` when a membership has ended,
   * and then `onRoomEnd` when it was the last one of the room.
   */
  constructor(
    onChange: OnChange<OpenConnection> = () => {},
    onRoomEnd: (room: string) => void = () => {},
    onLeave: OnLeave = () => {},
  ) {
    this.#onChange = onChange;
    this.#onRoomEnd = onRoomEnd;
    this.#onLeave = onLeave;
    this.#users = new Groups(onChange);
    this.#rooms = new Groups(onChange);
  }

  /** Every open connection. */
  get all(): ReadonlySet<OpenConnection> {
    return this.#all;
  }

  /** How many connections have been added since the start. */
  get opened(): number {
    return this.#opened;
  }

  /** Adds a connection. From now on it receives what is sent. */
  add(connection: OpenConnection): void {
    const { id, state: { credentials: { identity: { userId } } } } = connection;
    this.#onChange(this.#all);
    this.#all.add(connection);
    this.#opened++;
    if (id !== undefined) this.#byId.set(id, connection);
    if (userId !== null) this.#users.add(userId, connection);
  }

  /** Makes a connection known by its id, which it got after it was added. */
  setId(connection: OpenConnection, id: string): void {
    if (this.#all.has(connection)) this.#byId.set(id, connection);
  }

  /** Removes a connection. It may still be closing, but it receives nothing more. */
  remove(connection: OpenConnection): void {
    if (!this.#all.has(connection)) return;
    this.#onChange(this.#all);
    this.#all.delete(connection);
    const { id, state: { rooms, credentials: { identity: { userId } } } } = connection;
    if (id !== undefined) this.#byId.delete(id);
    this.expected.withdrawAll(connection);
    for (const room of rooms) this.#removeFrom(room, connection, true);
    if (userId !== null) this.#users.remove(userId, connection);
  }

  /**
   * Adds a connection to a room, unless it is closing. Returns whether it is the first member, so
   * that `onRoomEnd` follows.
   */
  join(connection: OpenConnection, room: string): boolean {
    if (!this.#all.has(connection)) return false;
    connection.state.enter(room);
    return this.#rooms.add(room, connection);
  }

  /** Removes a connection from a room. */
  leave(connection: OpenConnection, room: string): void {
    const isMember = connection.state.rooms.has(room);
    connection.state.leave(room);
    this.expected.withdraw(connection, room);
    if (isMember) this.#removeFrom(room, connection, false);
  }

  /** The connections in a room. */
  inRoom(room: string): ReadonlySet<OpenConnection> {
    return this.#rooms.members(room);
  }

  /** The connections of a user. */
  ofUser(user: string): ReadonlySet<OpenConnection> {
    return this.#users.members(user);
  }

  /** The connection of a client, or nothing where it has left. */
  ofClient(id: string): readonly OpenConnection[] {
    const connection = this.#byId.get(id);
    return connection === undefined ? [] : [connection];
  }

  #removeFrom(room: string, connection: OpenConnection, isLost: boolean): void {
    const isLast = this.#rooms.remove(room, connection);
    this.#onLeave(connection, room, isLost);
    if (isLast) this.#onRoomEnd(room);
  }

  /** How many connections, rooms and users there are. */
  counts(): { readonly connections: number; readonly rooms: number; readonly users: number } {
    return { connections: this.#all.size, rooms: this.#rooms.size, users: this.#users.size };
  }
}

const EMPTY: ReadonlySet<never> = new Set();

/** Named groups of members. Each operation costs the same for any number of groups. */
export class Groups<Member> {
  readonly #groups = new Map<string, Set<Member>>();
  readonly #onChange: OnChange<Member>;

  /** Calls `onChange` with a group before its members change. */
  constructor(onChange: OnChange<Member> = () => {}) {
    this.#onChange = onChange;
  }

  /** How many groups have members. */
  get size(): number {
    return this.#groups.size;
  }

  /** Adds a member, unless the group has it already. Returns whether it is the first. */
  add(name: string, member: Member): boolean {
    let group = this.#groups.get(name);
    // A set that is made from a list is slower.
    if (group === undefined) this.#groups.set(name, group = new Set());
    else if (group.has(member)) return false;
    else this.#onChange(group);
    group.add(member);
    return group.size === 1;
  }

  /** Removes a member, and the group with its last one. Returns whether it was the last. */
  remove(name: string, member: Member): boolean {
    const group = this.#groups.get(name);
    if (group === undefined || !group.has(member)) return false;
    this.#onChange(group);
    group.delete(member);
    return group.size === 0 && this.#groups.delete(name);
  }

  /** The members of a group, in the order in which they were added. */
  members(name: string): ReadonlySet<Member> {
    return this.#groups.get(name) ?? EMPTY;
  }
}
