/**
 * The messages of a broker that pushes them and waits for nothing: flows handle some at once, the
 * others wait here, and what is too much is lost.
 */
import { endOfTick } from "../base/clock.ts";
import { Fifo } from "../base/fifo.ts";
import {
  type BrokerContext,
  type DeadLetter,
  type Deliver,
  type Delivery,
  UnsendableError,
} from "./broker.ts";
import type { GivenUp } from "./dead-letter.ts";

/** How many messages wait at most, and how many bytes they have together. */
const MOST_WAITING = 10_000;
const MOST_BYTES = 32 * 1024 * 1024;

/** Milliseconds between two lines of the log about messages that are lost. */
const PAUSE = 1000;

const TOO_MANY = "too many messages wait for the flows";

/** A message that was pushed. */
export interface Pushed extends Pick<Delivery, "routingKey" | "content"> {
  /** The size of its body, in bytes; characters are near enough. */
  readonly size: number;
  /**
   * Called when it was handled or given up, where its broker waits for that. It sends only so many
   * then, so none of them is lost here.
   */
  readonly settled?: () => void;
}

/** What an intake works with. */
export interface IntakeContext extends Pick<BrokerContext, "clock" | "lost"> {
  /** How many messages are handled at once. */
  readonly prefetch: number;
  readonly deliver: Deliver;
  /** Keeps a message that failed for good. Absent where it is discarded. */
  readonly deadLetter?: (message: Pushed, why: GivenUp) => DeadLetter | Promise<DeadLetter>;
}

/** Hands messages over in their order. A message that waits for its next delivery holds up no other. */
export class Intake {
  readonly #context: IntakeContext;
  readonly #waiting = new Fifo<PushedDelivery>();
  readonly #delayed = new Set<() => void>();
  /** The size of all that waits. */
  #bytes = 0;
  #atWork = 0;
  #idle: (() => void) | undefined;
  #left = false;
  #draining = false;
  /** Lost since the last line of the log. */
  #lost = 0;
  #lastLost = "";
  #cancelReport: (() => void) | undefined;

  /** Hands nothing over before `push`. */
  constructor(context: IntakeContext) {
    this.#context = context;
  }

  /** How many messages wait. */
  get waiting(): number {
    return this.#waiting.length + this.#delayed.size;
  }

  /** Handles a message now, or when another one has been handled. */
  push(message: Pushed): void {
    const delivery = new PushedDelivery(message, 0, this);
    if (this.#atWork < this.#context.prefetch && this.#waiting.length === 0) {
      return this.#handle(delivery);
    }
    if (this.#isFullFor(message)) return this.#lose(message.routingKey);
    this.#keep(delivery);
  }

  /** Leaves what waits to the broker, as far as that waits for it: it will deliver it again. */
  leave(): void {
    this.#left = true;
    for (let left = this.waiting; left > 0; left--) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#bytes -= next.message.size;
      if (next.message.settled === undefined) this.#keep(next);
    }
  }

  /** Hands all messages over that wait, without their delay, and resolves when they are handled. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const end of [...this.#delayed]) end();
    if (!this.#isIdle()) await new Promise<void>((resolve) => this.#idle = resolve);
    this.#reportLost();
  }

  /**
   * Hands a message over again, `delay` milliseconds from now.
   *
   * @throws {UnsendableError} Too many messages wait.
   */
  again(message: Pushed, retries: number, delay: number): void {
    if (this.#left && message.settled !== undefined) return;
    if (delay > 0 && this.#isFullFor(message)) throw new UnsendableError(TOO_MANY);
    const delivery = new PushedDelivery(message, retries, this);
    // Without a delay the clock need not move.
    if (delay === 0) {
      this.#keep(delivery);
      return endOfTick(() => this.#work());
    }
    const end = (): void => {
      cancel();
      this.#delayed.delete(end);
      this.#bytes -= message.size;
      if (!this.#left || message.settled === undefined) this.#keep(delivery);
      this.#work();
    };
    const cancel = this.#context.clock.after(delay, end);
    this.#delayed.add(end);
    this.#bytes += message.size;
  }

  /** Hands a message over again that could not be moved. At the end it would be so for ever. */
  requeue(message: Pushed, retries: number): void {
    if (!this.#draining) return this.again(message, retries, 0);
    this.#context.lost(message.routingKey, "it could not be moved, and the service stops");
  }

  /** Keeps a message that failed for good. */
  deadLetter(message: Pushed, why: GivenUp): DeadLetter | Promise<DeadLetter> {
    const { deadLetter } = this.#context;
    if (deadLetter === undefined) throw new Error("the broker has no dead letters");
    return deadLetter(message, why);
  }

  #keep(delivery: PushedDelivery): void {
    this.#bytes += delivery.message.size;
    this.#waiting.push(delivery);
  }

  #work(): void {
    while (this.#atWork < this.#context.prefetch) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#bytes -= next.message.size;
      this.#handle(next);
    }
    if (this.#isIdle()) this.#idle?.();
  }

  #handle(delivery: PushedDelivery): void {
    const handled = this.#context.deliver(delivery);
    if (handled === undefined) return;
    this.#atWork++;
    void handled.then(() => {
      this.#atWork--;
      this.#work();
    });
  }

  /** Under load there may be thousands a second: the first is logged at once, the others together. */
  #lose(routingKey: string): void {
    this.#lost++;
    this.#lastLost = routingKey;
    if (this.#cancelReport !== undefined) return;
    this.#reportLost();
    this.#cancelReport = this.#context.clock.after(PAUSE, () => this.#reportLost());
  }

  #reportLost(): void {
    this.#cancelReport?.();
    this.#cancelReport = undefined;
    if (this.#lost === 0) return;
    this.#context.lost(this.#lastLost, TOO_MANY, this.#lost);
    this.#lost = 0;
  }

  /** Whether a message cannot wait. One whose broker waits for it always can. */
  #isFullFor({ size, settled }: Pushed): boolean {
    return settled === undefined &&
      (this.waiting >= MOST_WAITING || this.#bytes + size > MOST_BYTES);
  }

  #isIdle(): boolean {
    return this.#atWork === 0 && this.waiting === 0;
  }
}

/** A message that the broker has forgotten. */
class PushedDelivery implements Delivery {
  readonly message: Pushed;
  readonly retries: number;
  readonly held = true;
  readonly #intake: Intake;

  constructor(message: Pushed, retries: number, intake: Intake) {
    this.message = message;
    this.retries = retries;
    this.#intake = intake;
  }

  get routingKey(): string {
    return this.message.routingKey;
  }

  get content(): Delivery["content"] {
    return this.message.content;
  }

  ack(): void {
    this.message.settled?.();
  }

  requeue(): void {
    this.#intake.requeue(this.message, this.retries);
  }

  discard(): void {
    this.message.settled?.();
  }

  redeliver(_reason: string, retries: number, delay: number): void {
    this.#intake.again(this.message, retries, delay);
  }

  deadLetter(why: GivenUp): DeadLetter | Promise<DeadLetter> {
    const { settled } = this.message;
    const kept = this.#intake.deadLetter(this.message, why);
    if (settled === undefined) return kept;
    const settle = (letter: DeadLetter): DeadLetter => {
      settled();
      return letter;
    };
    return kept instanceof Promise ? kept.then(settle) : settle(kept);
  }
}
