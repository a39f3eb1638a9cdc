/**
 * History of rooms: the newest messages are kept with offsets, and a client that comes back gets what
 * it has missed. `store.ts` keeps them in this process, `shared-store.ts` in a store that all
 * instances share. `readers.ts` has the members that asked for offsets.
 */
import type { Keep, Position } from "../../../base/kept-messages.ts";
import { ConnectorError } from "../../../base/errors.ts";
import { newRef } from "../../../base/ids.ts";
import { messageOf } from "../../../base/shown.ts";
import type { WriteRequest } from "../../../contract/connector.ts";
import type { Frame } from "../../../transport/frame.ts";
import type { JoinWishes } from "../join-wishes.ts";
import { type Refusal, resyncFrame, roomProblem } from "../protocol.ts";
import type { Instances } from "../../../contract/instances.ts";
import type { Delivered, Selection } from "../recipients.ts";
import type { OpenConnection } from "../registry.ts";
import type { JoinAnswer, RoomFeature } from "../room-feature.ts";
import type { Shared } from "../parts.ts";
import { ADDED_SIZE, type Form, type Found, type Kept } from "./kept.ts";
import { HISTORY, listOf, readLimit } from "./listing.ts";
import { type Reader, Readers } from "./readers.ts";
import { SharedStore } from "./shared-store.ts";
import { LocalStore, type Store } from "./store.ts";
import { resumedFrom } from "./wish.ts";

/** The parameter of a handshake that tells what the client has of rooms that a flow joins it to. */
const RESUME = "resume";

/** A message for a room with history. */
export interface RoomMessage {
  readonly room: string;
  readonly keep: Keep;
  /** As members get it that did not ask for offsets. */
  readonly frame: Frame;
  readonly message: Kept;
  /** One that is kept with this id is not added again. */
  readonly id: string | undefined;
  readonly selection: Selection;
}

/** Makes the history of a connector; `instances` are the others of its service, if there can be any. */
export type CreateHistory = (shared: Shared, instances: Instances | undefined) => History;

/** As `CreateHistory`. */
export const createHistory: CreateHistory = (shared, instances) => new History(shared, instances);

/** The history of the rooms of one connector. */
export class History implements RoomFeature {
  /** Where all instances share it; undefined where there can be no others. */
  readonly common: SharedStore | undefined;
  readonly operations: ReadonlySet<string> = new Set([HISTORY]);
  readonly #readers: Readers;
  readonly #shared: Shared;
  readonly #local: LocalStore | undefined;
  readonly #store: Store;
  #last: { readonly room: string; readonly keep: Keep | undefined } | undefined;
  #resumed = 0;
  #unrecovered = 0;

  /** Keeps messages in this process, or where instances of a service share them. */
  constructor(shared: Shared, instances?: Instances) {
    this.#shared = shared;
    this.#readers = new Readers(shared);
    if (instances !== undefined) {
      this.#store = this.common = new SharedStore(shared, this.#readers, instances);
      return;
    }
    const epoch = shared.newId().replaceAll("-", "");
    const isUsed = (room: string) => shared.registry.inRoom(room).size > 0;
    this.#store = this.#local = new LocalStore(shared.clock, epoch, isUsed);
  }

  /** How much of a room is kept; undefined where nothing is. */
  keepOf(room: string): Keep | undefined {
    if (this.#last?.room !== room) {
      this.#last = { room, keep: this.#shared.rules.of(room)?.history };
    }
    return this.#last.keep;
  }

  /**
   * Keeps a message in this process, and delivers it.
   *
   * @throws {ConnectorError} With an offset it is larger than a client's queue.
   */
  send({ room, keep, frame, message, id, selection }: RoomMessage): Delivered {
    const at = this.#local?.append(room, message, keep, id);
    if (at === undefined) return { recipients: 0 };
    return { recipients: this.#readers.deliver(room, { frame, message, at, selection }) };
  }

  /**
   * Refuses a message that is too large for a reader.
   *
   * @throws {ConnectorError} It is.
   */
  checkSize({ size }: Frame): void {
    const { name, outboxes: { limit } } = this.#shared;
    if (size + ADDED_SIZE <= limit) return;
    const message = `a message of ${size} bytes and its offset are larger than a client's queue`;
    throw new ConnectorError(name, message, { permanent: true });
  }

  /**
   * The newest messages of a room, for a step.
   *
   * @throws {ConnectorError} The room has no history, or the limit is none.
   */
  ask({ target, payload }: WriteRequest): unknown {
    const { name } = this.#shared;
    const problem = roomProblem(target);
    if (target === undefined || problem !== undefined) {
      throw new ConnectorError(name, `history: ${problem}`, { permanent: true });
    }
    const keep = this.keepOf(target);
    if (keep === undefined) {
      const message = `history: the room ${JSON.stringify(target)} has no history`;
      throw new ConnectorError(name, message, { permanent: true });
    }
    const found = this.#store.find(target, keep, readLimit(name, payload, keep));
    if (!(found instanceof Promise)) return listOf(found);
    return found.then(listOf, (cause) => {
      const message = `the history cannot be read: ${messageOf(cause)}`;
      throw new ConnectorError(name, message, { cause });
    });
  }

  joined(connection: OpenConnection, room: string, wishes: JoinWishes): void {
    const { history, isOrdered = false, isStream = false } = wishes;
    const keep = this.keepOf(room);
    if (keep === undefined) return;
    this.common?.follow(room, keep);
    if (history === undefined) {
      if (!isOrdered) this.#readers.delete(connection, room);
    } else if (isStream) {
      const position = history === true ? undefined : history;
      connection.state.setResync(room, true);
      this.#resume(connection, room, keep, "event", position);
    } else if (!isOrdered) {
      connection.state.setResync(room, true);
      this.#readers.add(connection, room);
    } else if (this.#readers.of(connection, room) === undefined) {
      const text = connection.client.params[RESUME];
      const position = text === undefined ? undefined : resumedFrom(text, room);
      if (position !== undefined) connection.state.setResync(room, true);
      this.#resume(connection, room, keep, "place", position);
    }
  }

  answer(
    connection: OpenConnection,
    room: string,
    { history, isStream }: JoinWishes,
  ): JoinAnswer | undefined | Promise<JoinAnswer | Refusal | undefined> {
    if (isStream) return undefined;
    const keep = history === undefined ? undefined : this.keepOf(room);
    // With `concurrency`, the client may have left again.
    if (history === undefined || keep === undefined || !connection.state.rooms.has(room)) {
      return undefined;
    }
    const reader = this.#readers.claim(connection, room);
    const position = history === true ? undefined : history;
    const found = this.#store.find(room, keep, position ?? 0);
    if (!(found instanceof Promise)) return this.#answer(reader, room, position, found);
    return found.then(
      (one) => this.#answer(reader, room, position, one),
      (error) => this.#unreadable(room, error),
    );
  }

  left(connection: OpenConnection, room: string): void {
    this.#readers.delete(connection, room);
    if (this.common === undefined || this.#shared.registry.inRoom(room).size > 0) return;
    this.common.unfollow(room);
  }

  /** Its numbers. */
  counts(): Readonly<Record<string, number>> {
    const numbers = { history_resumed: this.#resumed, history_unrecovered: this.#unrecovered };
    return { ...this.#store.counts(), ...numbers };
  }

  /** Keeps nothing more. */
  close(): void {
    this.#store.close();
  }

  #answer(
    reader: Reader,
    room: string,
    position: Position | undefined,
    found: Found,
  ): JoinAnswer {
    const { newest } = found;
    const { epoch } = newest;
    if (position === undefined) {
      this.#begin(reader, newest);
      const answered = () => this.#readers.serve(reader, room, newest);
      return { fields: { epoch, offset: newest.offset }, answered };
    }
    const missed = this.#missed(reader, room, found);
    this.#begin(reader, newest);
    const answered = () => this.#readers.serve(reader, room, newest, missed);
    const recovered = missed !== undefined;
    const { offset } = recovered ? position : newest;
    return { fields: { epoch, offset, recovered }, answered };
  }

  /** A flow joins a connection, or a stream begins: what it has missed is sent at once. */
  #resume(
    connection: OpenConnection,
    room: string,
    keep: Keep,
    form: Form,
    position: Position | undefined,
  ): void {
    const reader = this.#readers.claim(connection, room, form);
    const serve = (found: Found): void => {
      const missed = position && this.#missed(reader, room, found);
      this.#begin(reader, found.newest, missed && position);
      if (position !== undefined && missed === undefined) connection.send(resyncFrame(room));
      this.#readers.serve(reader, room, found.newest, missed);
    };
    const found = this.#store.find(room, keep, position ?? 0);
    if (!(found instanceof Promise)) return serve(found);
    found.then(serve).catch((error) => {
      this.#unreadable(room, error);
      if (position !== undefined) connection.send(resyncFrame(room));
      this.#readers.serve(reader, room, { epoch: "", offset: 0 });
    });
  }

  /** What a reader has missed; undefined where that is gone, or more than its queue may hold. */
  #missed(reader: Reader, room: string, found: Found): readonly Frame[] | undefined {
    // A flow had joined it before: the rest was sent to this connection as it came.
    const { sent } = reader;
    const last = sent?.epoch === found.newest.epoch ? sent.offset : undefined;
    const frames = found.messages && this.#readers.framesFor(reader, room, found, last);
    if (frames === undefined) this.#unrecovered++;
    else this.#resumed++;
    return frames;
  }

  #begin(reader: Reader, newest: Position, from = newest): void {
    reader.epoch = newest.epoch;
    reader.after = newest.offset;
    reader.start = from.offset;
  }

  #unreadable(room: string, error: unknown): Refusal {
    const { logger, newId } = this.#shared;
    const ref = newRef(newId);
    const reason = messageOf(error);
    logger.warn("cannot read the history of room {room} (ref {ref}): {reason}", {
      room,
      ref,
      reason,
    });
    const message = `the history of the room cannot be read now (ref ${ref})`;
    return { code: "flow_failed", message, outage: true };
  }
}
