/** Where the messages of rooms are kept, and the store in the memory of this process. No I/O. */
import { type Keep, KeptMessages, type Position } from "../../../base/kept-messages.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Found, Kept } from "./kept.ts";

/** What is asked of a room: the messages after a position, or a number of the newest ones. */
export type Question = Position | number;

/** Keeps the messages of rooms. */
export interface Store {
  /**
   * Finds messages of a room.
   *
   * @throws {BackplaneError} The store cannot be reached.
   */
  find(room: string, keep: Keep, question: Question): Found | Promise<Found>;
  /** Its numbers. */
  counts(): Readonly<Record<string, number>>;
  /** Keeps nothing more. */
  close(): void;
}

/** Keeps messages in the memory of this process. */
export class LocalStore implements Store {
  readonly #messages: KeptMessages<Kept>;

  /** Nothing else may have the same `epoch`. A room that `isUsed` keeps its offset for that time. */
  constructor(clock: Clock, epoch: string, isUsed: (room: string) => boolean) {
    this.#messages = new KeptMessages(clock, epoch, isUsed);
  }

  /** Keeps a message. Returns its place; undefined where one with this id is there already. */
  append(room: string, message: Kept, keep: Keep, id: string | undefined): Position | undefined {
    const offset = this.#messages.append(room, message, keep, id);
    return offset === undefined ? undefined : { epoch: this.#messages.epoch, offset };
  }

  find(room: string, _keep: Keep, question: Question): Found {
    const newest = { epoch: this.#messages.epoch, offset: this.#messages.offset(room) };
    const messages = typeof question === "number"
      ? this.#messages.newest(room, question)
      : this.#messages.after(room, question);
    return { newest, messages };
  }

  counts(): Readonly<Record<string, number>> {
    const { topics, messages } = this.#messages;
    return { history_rooms: topics, history_messages: messages };
  }

  close(): void {
    this.#messages.close();
  }
}
