/** What one instance has on its way to the others: batches of messages, and messages that are kept. */
import { endOfTick } from "../base/clock.ts";
import type { Expiring } from "../base/deadlines.ts";
import {
  type Appended,
  type Appending,
  type Backplane,
  BackplaneError,
  type Keep,
  type Position,
} from "../contract/backplane.ts";
import { BatchWriter, type Entry, Kind } from "./batches.ts";

/** A batch that would become larger is sent before. Below what brokers take at most, with room. */
export const MAX_BATCH = 900_000;
/** At most this many messages are kept together. */
const MAX_APPENDED = 1_000;

/** Is told that something has ended, with its error if it has failed. */
type Ended = (error: BackplaneError | undefined) => void;

/** Something on its way. */
export abstract class Sending implements Expiring {
  readonly topic: string;
  readonly sequence: number;
  readonly promise: Promise<void>;
  readonly #resolve: () => void;
  readonly #reject: (error: BackplaneError) => void;
  readonly #ended: Ended;
  /** Whether somebody waits for it, and gets its failure. */
  isAwaited = false;
  /** How many bytes its payloads have. */
  payloads = 0;
  /** How many of its entries are messages of connectors. */
  messages = 0;
  #taken = false;
  #heard = false;
  #settled = false;

  constructor(topic: string, sequence: number, ended: Ended) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.topic = topic;
    this.sequence = sequence;
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#ended = ended;
    // The callers that wait for it get the failure. Otherwise it is logged.
    promise.catch(() => {});
  }

  /** Gives it to the backplane. Rejects where that fails. */
  abstract start(backplane: Backplane, id: string): Promise<void>;

  /** The broker has it, and it does not come back here. */
  abstract unheard(reason: string): void;

  /** Whether the broker has it. */
  get isTaken(): boolean {
    return this.#taken;
  }

  /** The broker has it. */
  taken(): void {
    this.#taken = true;
    this.#end();
  }

  /** This instance has heard it, or does not hear its topic. */
  heard(): void {
    this.#heard = true;
    this.#end();
  }

  expire(): void {
    // After a time in which the process was blocked, what has arrived is read first.
    endOfTick(() => {
      const reason = "no confirmation of a message to the other instances within 2 s";
      if (this.#taken) this.unheard(reason);
      else this.fail(new BackplaneError(reason, { unknown: true }));
    });
  }

  fail(error: BackplaneError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#ended(error);
    this.#reject(error);
  }

  #end(): void {
    if (this.#settled || !this.#taken || !this.#heard) return;
    this.#settled = true;
    this.#ended(undefined);
    this.#resolve();
  }
}

/** A batch of entries. */
export class PublishSending extends Sending {
  readonly #writer = new BatchWriter();

  /** Whether it has room for a payload of this size. */
  takes(size: number): boolean {
    return this.#writer.size + size <= MAX_BATCH;
  }

  add(entry: Entry): void {
    this.payloads += entry.payload.length;
    if (entry.kind === Kind.message || entry.kind === Kind.tell) this.messages += 1;
    this.#writer.add(entry);
  }

  async start(backplane: Backplane, id: string): Promise<void> {
    await backplane.publish(this.topic, this.#writer.finish(id, this.sequence));
    this.taken();
  }

  unheard(reason: string): void {
    const message = `${reason}, and the message may have reached others`;
    this.fail(new BackplaneError(message, { unknown: true }));
  }
}

/** Messages that are kept. */
export class AppendSending extends Sending {
  readonly #keep: Keep;
  readonly #appending: Appending[] = [];
  /** How far this instance has heard since it was given to the backplane. */
  #heardUpTo: Position | undefined;
  /** Its last place, once the store has it. */
  #last: Position | undefined;

  constructor(topic: string, sequence: number, keep: Keep, ended: Ended) {
    super(topic, sequence, ended);
    this.#keep = keep;
  }

  /** Whether it has room for a message of this size, which is kept in the same way. */
  takes(keep: Keep, size: number): boolean {
    const { length } = this.#appending;
    const isAlike = keep.size === this.#keep.size && keep.ttl === this.#keep.ttl;
    return isAlike && length < MAX_APPENDED && this.payloads + size <= MAX_BATCH;
  }

  add(appending: Appending): void {
    this.payloads += appending.message.length;
    this.messages += 1;
    this.#appending.push(appending);
  }

  async start({ history }: Backplane, _id: string): Promise<void> {
    if (history === undefined) throw new BackplaneError("the backplane keeps no messages");
    this.#place(await history.append(this.topic, this.#appending, this.#keep));
    this.taken();
  }

  /** The store has it, so nothing is lost: the instances read there what they have not heard. */
  unheard(): void {
    this.heard();
  }

  /** This instance has heard the topic up to a position. */
  heardUpTo(position: Position): void {
    this.#heardUpTo = position;
    this.#compare();
  }

  #place({ epoch, offsets }: Appended): void {
    const offset = offsets.findLast((one) => one !== undefined);
    // All of them were there before.
    if (offset === undefined) return this.heard();
    this.#last = { epoch, offset };
    this.#compare();
  }

  #compare(): void {
    const [last, heard] = [this.#last, this.#heardUpTo];
    if (last === undefined || heard === undefined) return;
    // Another epoch is a later one.
    if (heard.epoch !== last.epoch || heard.offset >= last.offset) this.heard();
  }
}
