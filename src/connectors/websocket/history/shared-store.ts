/** The history of rooms in a store that all instances share. Rooms with members here are followed. */
import type { Keep, Position } from "../../../base/kept-messages.ts";
import { BackplaneError, type Entries } from "../../../contract/backplane.ts";
import type { Instances, InstancesHistory } from "../../../contract/instances.ts";
import { relayed } from "../instances/relayed.ts";
import { ROOM, roomTopic } from "../instances/topics.ts";
import { decode, type Head, Nonsense } from "../instances/wire.ts";
import type { Shared } from "../parts.ts";
import { Follower } from "./follower.ts";
import type { Found, Kept } from "./kept.ts";
import type { Readers } from "./readers.ts";
import type { Question, Store } from "./store.ts";

/** At most this many rooms catch up at once. */
const MAX_CATCHING_UP = 50;

/** Is told what a message has reached here. */
export type OnDelivered = (head: Head, recipients: number) => void;

/** Keeps messages in the store of the instances. */
export class SharedStore implements Store {
  readonly #shared: Shared;
  /** That of this instance. */
  readonly #id: string;
  readonly #readers: Readers;
  readonly #history: InstancesHistory;
  /** By room. */
  readonly #followers = new Map<string, Follower>();
  /** What is being read, by room and question. */
  readonly #reading = new Map<string, Promise<Found>>();
  readonly #waiting: (() => void)[] = [];
  #catchingUp = 0;
  #hasComplained = false;
  #onDelivered: OnDelivered = () => {};
  #caughtUp = 0;

  constructor(shared: Shared, readers: Readers, { history, id }: Instances) {
    if (history === undefined) throw new TypeError("the instances share no store for history");
    this.#shared = shared;
    this.#id = id;
    this.#readers = readers;
    this.#history = history;
  }

  /** Sets who is told what a message has reached. */
  onDelivered(listener: OnDelivered): void {
    this.#onDelivered = listener;
  }

  find(room: string, keep: Keep, question: Question): Found | Promise<Found> {
    const known = this.#followers.get(room)?.settled;
    if (known !== undefined && isAt(known, question)) return { newest: known, messages: [] };
    return this.#find(room, keep, question, known);
  }

  /** A room has a member here. */
  follow(room: string, keep: Keep): void {
    if (this.#followers.has(room)) return;
    const { clock } = this.#shared;
    this.#followers.set(
      room,
      new Follower({
        clock,
        keep,
        read: (from) => this.#inTurn(() => this.#read(room, keep, from ?? 0)),
        deliver: (message, at) => this.#deliver(room, message, at),
        lost: () => this.#readers.resync(room),
        caughtUp: (count) => this.#caughtUp += count,
      }),
    );
  }

  /** A room has no member here any more. */
  unfollow(room: string): void {
    this.#followers.get(room)?.end();
    this.#followers.delete(room);
  }

  /** Kept messages of a topic have come; the first one has the offset of `at`. */
  heard(topic: string, at: Position, messages: readonly Uint8Array[]): void {
    if (!topic.startsWith(ROOM)) return;
    this.#followers.get(topic.slice(ROOM.length))?.take(at, messages);
  }

  /** Messages may not have come: they are read. */
  gap(): void {
    for (const follower of this.#followers.values()) follower.catchUp();
  }

  counts(): Readonly<Record<string, number>> {
    return { history_rooms: this.#followers.size, history_caught_up: this.#caughtUp };
  }

  close(): void {
    for (const room of [...this.#followers.keys()]) this.unfollow(room);
  }

  /**
   * Reads, or waits for one that is under way: many clients come back at once. Its result is as good
   * where it has all that was heard before this call, since the client hears what comes after it.
   */
  async #find(
    room: string,
    keep: Keep,
    question: Question,
    known: Position | undefined,
  ): Promise<Found> {
    const key = `${JSON.stringify(question)} ${room}`;
    const underWay = this.#reading.get(key);
    if (underWay !== undefined && known !== undefined) {
      const { newest, messages } = await underWay;
      const isWhole = newest.epoch === known.epoch && newest.offset >= known.offset;
      if (isWhole) return { newest, messages };
    }
    const reading = this.#read(room, keep, question).then((entries) => foundIn(entries));
    this.#reading.set(key, reading);
    try {
      return await reading;
    } finally {
      if (this.#reading.get(key) === reading) this.#reading.delete(key);
    }
  }

  async #read(room: string, keep: Keep, question: Question): Promise<Entries> {
    return await this.#history.read(roomTopic(room), keep, question);
  }

  /** Waits until fewer than so many catch up. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#catchingUp >= MAX_CATCHING_UP) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#catchingUp++;
    try {
      return await work();
    } finally {
      this.#catchingUp--;
      this.#waiting.shift()?.();
    }
  }

  #deliver(room: string, bytes: Uint8Array, at: Position): void {
    const envelope = this.#decode(bytes);
    if (envelope === undefined) return;
    const { head, message } = envelope;
    const { outboxes } = this.#shared;
    const frame = outboxes.relayed(message.text, message.key, room);
    if (frame.size > outboxes.limit) {
      const values = { room, size: frame.size };
      this.#shared.logger.error(
        "left out a message of room {room}: its {size} bytes are larger " +
          "than a client's queue",
        values,
      );
      return this.#readers.resync(room);
    }
    const selection = { filter: undefined, except: message.except, scope: {} };
    const send = () => this.#readers.deliver(room, { frame, message, at, selection });
    const recipients = head.from === this.#id
      ? send()
      : relayed(this.#shared, head, "send_to_room", send);
    this.#onDelivered(head, recipients);
  }

  #decode(bytes: Uint8Array) {
    try {
      return keptIn(bytes);
    } catch (error) {
      if (!(error instanceof Nonsense)) throw error;
      if (!this.#hasComplained) {
        this.#hasComplained = true;
        const problem = error.message;
        this.#shared.logger.error(
          "ignored a kept message, and will ignore others like it without " +
            "a word: {problem}",
          { problem },
        );
      }
      return undefined;
    }
  }
}

/** Whether a question needs no message when all up to a position is known. */
function isAt({ epoch, offset }: Position, question: Question): boolean {
  return typeof question === "number"
    ? question === 0
    : question.epoch === epoch && question.offset === offset;
}

/** @throws {BackplaneError} The store has what no instance has written. */
function foundIn({ newest, messages }: Entries): Found {
  try {
    return { newest, messages: messages?.map((bytes) => keptIn(bytes).message) };
  } catch (cause) {
    throw new BackplaneError("the history has messages that cannot be read", { cause });
  }
}

/** @throws {Nonsense} It is no message. */
function keptIn(bytes: Uint8Array): { readonly head: Head; readonly message: Kept } {
  const { kind, head, text } = decode(bytes);
  if (kind !== "message") throw new Nonsense("it is no message");
  const { key, except, user } = head;
  return { head, message: { text, key, except, user } };
}
