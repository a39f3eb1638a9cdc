/** The topics of which a worker was told that nobody else listens to them. No I/O. */
import { encodeList, Kind } from "./frames.ts";

/** A worker knows at most so many: about five megabytes in it, and as many in the supervisor. */
const MAX_TOPICS = 50_000;
/** How many of the oldest are withdrawn together to make room. */
const MADE_ROOM = MAX_TOPICS / 10;

/** A withdrawal that the worker has not confirmed. */
interface Withdrawal {
  readonly topics: readonly string[];
  readonly confirmed: PromiseWithResolvers<void>;
}

/** What one worker was told. Once a withdrawal is confirmed, all that it publishes arrives. */
export class Unheard {
  readonly #send: (frame: Uint8Array) => void;
  /** Oldest first, with the withdrawal that is under way. */
  readonly #topics = new Map<string, Withdrawal | undefined>();
  readonly #withdrawals = new Map<number, Withdrawal>();
  #number = 0;

  /** `send` sends a frame to the worker. */
  constructor(send: (frame: Uint8Array) => void) {
    this.#send = send;
  }

  /** Tells the worker that nobody else listens to a topic, unless it has just been told. */
  tell(topic: string): void {
    if (this.#topics.has(topic)) return;
    if (this.#topics.size >= MAX_TOPICS) {
      // Until the worker has confirmed that, it goes on sending.
      if (this.#withdrawals.size === 0) this.withdraw([...this.#topics.keys().take(MADE_ROOM)]);
      return;
    }
    this.#topics.set(topic, undefined);
    this.#send(encodeList(Kind.unheard, 0, [topic]));
  }

  /** Withdraws that, for those of these topics of which it was told. Returns what to wait for. */
  withdraw(topics: readonly string[]): Promise<void>[] {
    const told: string[] = [];
    const waiting = new Set<Withdrawal>();
    for (const topic of topics) {
      const underWay = this.#topics.get(topic);
      if (underWay !== undefined) waiting.add(underWay);
      else if (this.#topics.has(topic)) told.push(topic);
    }
    if (told.length > 0) waiting.add(this.#withdraw(told));
    return [...waiting].map(({ confirmed }) => confirmed.promise);
  }

  /** The worker has read a withdrawal. */
  confirm(number: number): void {
    const withdrawal = this.#withdrawals.get(number);
    if (withdrawal === undefined) return;
    this.#withdrawals.delete(number);
    for (const topic of withdrawal.topics) this.#topics.delete(topic);
    withdrawal.confirmed.resolve();
  }

  /** The worker publishes nothing any more, so nobody waits for it. */
  clear(): void {
    for (const number of [...this.#withdrawals.keys()]) this.confirm(number);
    this.#topics.clear();
  }

  #withdraw(topics: readonly string[]): Withdrawal {
    const withdrawal = { topics, confirmed: Promise.withResolvers<void>() };
    for (const topic of topics) this.#topics.set(topic, withdrawal);
    // A number is four bytes of a frame.
    this.#number = (this.#number + 1) % 2 ** 32;
    this.#withdrawals.set(this.#number, withdrawal);
    this.#send(encodeList(Kind.withdraw, this.#number, topics));
    return withdrawal;
  }
}
