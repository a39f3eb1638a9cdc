/** Sends what one instance has for the others: in batches, in order, and each with a deadline. */
import type { Clock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import { messageOf } from "../base/shown.ts";
import {
  type Appending,
  type Backplane,
  BackplaneError,
  type Keep,
  type Position,
} from "../contract/backplane.ts";
import type { Logger } from "../contract/logger.ts";
import type { Entry } from "./batches.ts";
import { Burst } from "./burst.ts";
import { AppendSending, PublishSending, type Sending } from "./sending.ts";

/** Milliseconds until what is not known to have been sent counts as failed. */
const TIME_TO_SEND = 2_000;
/** Without echoes, above this many bytes that the broker has not taken yet, the publisher waits. */
const MAX_UNSENT = 4 * 1024 * 1024;

/** What an outbox is made with. */
export interface OutboxOptions {
  readonly id: string;
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether what this instance sends to a topic comes back. */
  hears(topic: string): boolean;
  /** Whether what it keeps in a topic comes back. */
  hearsKept(topic: string): boolean;
}

/** Sends batches. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #deadlines: Deadlines;
  readonly #burst = new Burst(() => this.#flush());
  /** Not given to the backplane yet. The last one takes what follows for the same topic. */
  #waiting: Sending[] = [];
  /** Given to the backplane and not yet heard, by sequence. */
  readonly #unheard = new Map<number, Sending>();
  /** Those of them that are kept, by topic. */
  readonly #appends = new Map<string, Set<AppendSending>>();
  #unsent = 0;
  #sequence = 0;
  #closed = false;
  /** Whether a batch that nobody waited for has failed, and none has succeeded since. */
  #failing = false;
  /** How many messages were sent. */
  sent = 0;
  /** How many messages failed, and may have been sent all the same. */
  unknown = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, TIME_TO_SEND);
  }

  /**
   * Sends an entry at the end of its burst. Resolves when the broker has it, and this instance has
   * heard it if it hears its topic. Whoever does not wait need not handle a failure.
   *
   * @throws {BackplaneError} It was not sent, or nobody knows whether it was.
   */
  send(topic: string, entry: Entry): Promise<void> {
    if (this.#closed) return Promise.reject(new BackplaneError("this instance leaves the others"));
    const sending = this.#add(topic, entry);
    sending.isAwaited = true;
    return sending.promise;
  }

  /** The same for whoever waits only while much is unsent. A failure is logged then. */
  post(topic: string, entry: Entry): Promise<void> | undefined {
    if (this.#unsent > MAX_UNSENT) return this.send(topic, entry);
    if (!this.#closed) this.#add(topic, entry);
    return undefined;
  }

  /** Keeps a message at the end of its burst, in its turn. As `send` else. */
  append(topic: string, appending: Appending, keep: Keep): Promise<void> {
    if (this.#closed) return Promise.reject(new BackplaneError("this instance leaves the others"));
    const last = this.#waiting.at(-1);
    const { length } = appending.message;
    this.#unsent += length;
    this.#burst.add();
    if (last instanceof AppendSending && last.topic === topic && last.takes(keep, length)) {
      last.add(appending);
      return last.promise;
    }
    const sending = new AppendSending(topic, ++this.#sequence, keep, (end) => {
      this.#appends.get(topic)?.delete(sending);
      if (this.#appends.get(topic)?.size === 0) this.#appends.delete(topic);
      this.#settle(sending, end);
    });
    sending.isAwaited = true;
    sending.add(appending);
    const others = this.#appends.get(topic);
    if (others === undefined) this.#appends.set(topic, new Set([sending]));
    else others.add(sending);
    this.#waiting.push(sending);
    return sending.promise;
  }

  #add(topic: string, entry: Entry): Sending {
    const last = this.#waiting.at(-1);
    const size = entry.payload.length;
    this.#unsent += size;
    this.#burst.add();
    if (last instanceof PublishSending && last.topic === topic && last.takes(size)) {
      last.add(entry);
      return last;
    }
    const sending = new PublishSending(topic, ++this.#sequence, (end) => {
      this.#settle(sending, end);
    });
    sending.add(entry);
    this.#waiting.push(sending);
    return sending;
  }

  /** This instance has heard one of its batches. */
  heard(sequence: number): void {
    this.#unheard.get(sequence)?.heard();
  }

  /** This instance has heard the kept messages of a topic up to a position. */
  heardKept(topic: string, position: Position): void {
    for (const sending of this.#appends.get(topic) ?? []) sending.heardUpTo(position);
  }

  /** This instance does not hear these topics any more. */
  forget(topics: readonly string[]): void {
    const ended = new Set(topics);
    for (const sending of this.#unheard.values()) {
      if (ended.has(sending.topic)) sending.heard();
    }
  }

  /** The link is down: what the broker has taken and this instance has not heard does not come back. */
  down(reason: string): void {
    for (const sending of [...this.#unheard.values()]) {
      if (sending.isTaken) sending.unheard(reason);
    }
  }

  /** Sends nothing more. What waits fails. */
  close(): void {
    this.#closed = true;
    const left = new BackplaneError("this instance leaves the others");
    for (const sending of this.#waiting.splice(0)) sending.fail(left);
    for (const sending of [...this.#unheard.values()]) sending.fail(left);
    this.#deadlines.close();
  }

  #flush(): void {
    const { id, backplane, hears, hearsKept } = this.#options;
    for (const sending of this.#waiting.splice(0)) {
      const { topic, sequence } = sending;
      this.sent += sending.messages;
      this.#unheard.set(sequence, sending);
      this.#deadlines.add(sending);
      const comesBack = sending instanceof AppendSending ? hearsKept(topic) : hears(topic);
      if (!comesBack) sending.heard();
      sending.start(backplane, id).catch((error) => {
        sending.fail(
          error instanceof BackplaneError
            ? error
            : new BackplaneError(messageOf(error), { unknown: true, cause: error }),
        );
      });
    }
  }

  #settle(sending: Sending, error: BackplaneError | undefined): void {
    this.#unheard.delete(sending.sequence);
    this.#deadlines.delete(sending);
    this.#unsent -= sending.payloads;
    if (error?.unknown === true) this.unknown += sending.messages;
    if (error === undefined) this.#failing = false;
    else if (!sending.isAwaited && !this.#closed) this.#logFailure(error);
  }

  #logFailure(error: BackplaneError): void {
    if (this.#failing) return;
    this.#failing = true;
    const reason = messageOf(error);
    this.#options.logger.warn("a message did not reach the other instances: {reason}", { reason });
  }
}
