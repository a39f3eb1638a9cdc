/** The members that asked for the offsets of a room, and what is sent to them. */
import { resyncFrame } from "../protocol.ts";
import { deliver, type Selection } from "../recipients.ts";
import type { OpenConnection } from "../registry.ts";
import type { Shared } from "../parts.ts";
import type { Position } from "../../../base/kept-messages.ts";
import type { Frame } from "../../../transport/frame.ts";
import { type Form, isFor, type Kept, offsetFrame } from "./kept.ts";

/** A message that waits until a join has been answered. */
interface Held {
  readonly message: Kept;
  readonly at: Position;
  /** As readers get it that know the epoch. */
  readonly frame: Frame;
}

/** A member that asked. */
export class Reader {
  readonly connection: OpenConnection;
  /** How it is told the place of a message. */
  readonly form: Form;
  /** It gets no message up to this offset any more, and every one after it. */
  after = 0;
  /** Every message of its epoch behind this has been sent on this connection, or will be. */
  start = 0;
  /** The epoch that it knows; undefined before an answer. */
  epoch: string | undefined;
  /** What waits for its answer; undefined once it is served. */
  held: Held[] | undefined = [];
  heldSize = 0;
  /** Some of what waited was left out. */
  hasLost = false;
  /** It is the one of an answer that is on its way. */
  isClaimed = false;
  /** Behind this the connection has been sent everything already, since a flow had joined it before. */
  readonly sent: Position | undefined;

  constructor(connection: OpenConnection, form: Form, sent: Position | undefined) {
    this.connection = connection;
    this.form = form;
    this.sent = sent;
  }
}

/** The readers of one room. */
interface RoomReaders {
  readonly all: Map<OpenConnection, Reader>;
  /** Those of them that need frames of their own: what they know or wait for differs. */
  readonly apart: Set<Reader>;
  /** The epoch that all others know, and the highest offset that one of them has beforehand. */
  epoch: string | undefined;
  highest: number;
}

/** What a message is delivered with. */
export interface Delivery {
  /** As members get it that did not ask. */
  readonly frame: Frame;
  readonly message: Kept;
  /** Its own place. */
  readonly at: Position;
  readonly selection: Selection;
}

/** The readers of all rooms of a connector. */
export class Readers {
  readonly #shared: Shared;
  readonly #rooms = new Map<string, RoomReaders>();

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** The reader that a connection is in a room, if it is one. */
  of(connection: OpenConnection, room: string): Reader | undefined {
    return this.#rooms.get(room)?.all.get(connection);
  }

  /** Makes a connection a reader. What is sent to it waits until `serve`. */
  add(connection: OpenConnection, room: string, form: Form = "offset"): Reader {
    let readers = this.#rooms.get(room);
    if (readers === undefined) {
      readers = { all: new Map(), apart: new Set(), epoch: undefined, highest: 0 };
      this.#rooms.set(room, readers);
    }
    const former = readers.all.get(connection);
    const reader = new Reader(connection, form, sentBy(former));
    this.delete(connection, room);
    this.#rooms.set(room, readers);
    readers.all.set(connection, reader);
    readers.apart.add(reader);
    return reader;
  }

  /** The reader that a join has made, for its answer: one of its own where two are on their way. */
  claim(connection: OpenConnection, room: string, form: Form = "offset"): Reader {
    const found = this.of(connection, room);
    const reader = found === undefined || found.isClaimed
      ? this.add(connection, room, form)
      : found;
    reader.isClaimed = true;
    return reader;
  }

  /** A connection is no reader of a room any more. */
  delete(connection: OpenConnection, room: string): void {
    const readers = this.#rooms.get(room);
    const reader = readers?.all.get(connection);
    if (readers === undefined || reader === undefined) return;
    readers.all.delete(connection);
    readers.apart.delete(reader);
    if (readers.all.size === 0) this.#rooms.delete(room);
  }

  /**
   * Sends a reader what it has missed, then what has waited for it. From now on it is served as a
   * message comes. `missed` end at `newest`.
   */
  serve(reader: Reader, room: string, newest: Position, missed: readonly Frame[] = []): void {
    const { connection, held } = reader;
    if (held === undefined || this.of(connection, room) !== reader) return;
    for (const frame of missed) connection.send(frame);
    if (reader.hasLost) connection.send(resyncFrame(room));
    for (const { message, at, frame } of held) {
      const knowsEpoch = at.epoch === reader.epoch;
      if (knowsEpoch && at.offset <= reader.after) continue;
      const isShared = knowsEpoch && reader.form === "offset";
      const { outboxes } = this.#shared;
      const form = reader.form === "event" ? "event" : "place";
      connection.send(isShared ? frame : offsetFrame(outboxes, room, message, at, form));
      reader.epoch = at.epoch;
    }
    reader.held = undefined;
    const readers = this.#rooms.get(room);
    // A reader that did not read fast enough has left meanwhile.
    if (readers === undefined || readers.all.get(connection) !== reader) return;
    if (readers.all.size === readers.apart.size) readers.epoch = reader.epoch;
    readers.highest = Math.max(readers.highest, reader.after, newest.offset);
    if (reader.form === "offset" && reader.epoch === readers.epoch) readers.apart.delete(reader);
  }

  /** Delivers a message to the members of a room. Returns how many they are. */
  deliver(room: string, { frame, message, at, selection }: Delivery): number {
    const readers = this.#rooms.get(room);
    if (readers === undefined) {
      return deliver(this.#shared, frame, { operation: "send_to_room", name: room }, selection);
    }
    const { registry, outboxes } = this.#shared;
    const { all, apart } = readers;
    const members = registry.inRoom(room);
    const isNewEpoch = at.epoch !== readers.epoch;
    if (isNewEpoch) this.#begin(readers, at.epoch);
    const frames: Partial<Record<Form, Frame>> = {};
    const own = (form: Form) => frames[form] ??= offsetFrame(outboxes, room, message, at, form);
    const isAlike = apart.size === 0 && !isNewEpoch && at.offset > readers.highest &&
      selection.except === undefined;
    if (isAlike && all.size === members.size && outboxes.broadcast(own("offset"), members)) {
      return all.size;
    }
    let count = 0;
    for (const member of members) {
      if (all.has(member)) continue;
      if (selection.except !== undefined && member.id === selection.except) continue;
      if (member.send(frame)) count++;
    }
    for (const reader of [...all.values()]) {
      const { connection } = reader;
      if (selection.except !== undefined && connection.id === selection.except) continue;
      if (reader.held !== undefined) {
        this.#hold(reader, { message, at, frame: own("offset") });
        count++;
        continue;
      }
      const knowsEpoch = reader.epoch === at.epoch;
      if (knowsEpoch && at.offset <= reader.after) continue;
      reader.epoch = at.epoch;
      const form = knowsEpoch || reader.form !== "offset" ? reader.form : "place";
      if (connection.send(own(form))) count++;
    }
    return count;
  }

  /** Tells all members of a room that asked for it that messages may be missing. */
  resync(room: string): void {
    const frame = resyncFrame(room);
    for (const member of this.#shared.registry.inRoom(room)) {
      if (member.state.wantsResync(room)) member.send(frame);
    }
  }

  /** The frames of messages for a reader; undefined where they are more than its queue may hold. */
  framesFor(
    reader: Reader,
    room: string,
    { newest, messages = [] }: { readonly newest: Position; readonly messages?: readonly Kept[] },
    last = newest.offset,
  ): readonly Frame[] | undefined {
    const { outboxes } = this.#shared;
    const first = newest.offset - messages.length + 1;
    const frames: Frame[] = [];
    let size = 0;
    for (const [index, message] of messages.entries()) {
      if (first + index > last) break;
      if (!isFor(message, reader.connection)) continue;
      const at = { epoch: newest.epoch, offset: first + index };
      const frame = offsetFrame(outboxes, room, message, at, reader.form);
      size += frame.size;
      if (size > outboxes.limit) return undefined;
      frames.push(frame);
    }
    return frames;
  }

  /** Those that waited for offsets of the former epoch get all of the new one. */
  #begin(readers: RoomReaders, epoch: string): void {
    readers.epoch = epoch;
    readers.highest = 0;
    for (const reader of readers.all.values()) {
      if (reader.held === undefined && reader.epoch !== epoch) {
        reader.after = 0;
        reader.start = 0;
      }
      if (reader.held === undefined && reader.form === "offset") readers.apart.delete(reader);
      else readers.apart.add(reader);
    }
  }

  /** Bounded as all that waits for a client. */
  #hold(reader: Reader, held: Held): void {
    const { limit, disconnects } = this.#shared.outboxes;
    reader.held?.push(held);
    reader.heldSize += held.frame.size;
    if (reader.heldSize <= limit) return;
    if (disconnects) return reader.connection.slow();
    reader.held = [];
    reader.heldSize = 0;
    reader.hasLost = true;
  }
}

function sentBy(former: Reader | undefined): Position | undefined {
  if (former === undefined || former.form === "offset") return undefined;
  if (former.held !== undefined) return undefined;
  return former.epoch === undefined ? undefined : { epoch: former.epoch, offset: former.start };
}
