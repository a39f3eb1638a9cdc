/** A broker inside this process: its queues vanish when the process ends. */
import type { Clock } from "../../base/clock.ts";
import { randomId } from "../../base/ids.ts";
import { shown } from "../../base/shown.ts";
import {
  type Broker,
  type BrokerContext,
  type Capabilities,
  type Deliver,
  UnsendableError,
} from "../broker.ts";
import type { GivenUp } from "../dead-letter.ts";
import type { Publication } from "../message.ts";
import { MemoryDelivery, type Returns } from "./delivery.ts";
import { type Destination, type HostMember, hostOf, type MemoryHost } from "./host.ts";
import { MemoryQueue, type Queued } from "./queue.ts";
import type { MemoryMessage, MemoryRouting, MemoryTarget } from "./routing.ts";

/** After this many deliveries the next waits for a timer, so that flows that feed each other block nothing. */
const LONGEST_RUN = 2000;

/** Routes, delivers and redelivers as the broker does that it plays, but keeps nothing beyond the process. */
export class MemoryBroker<P extends Publication = Publication> implements Broker<P>, HostMember {
  readonly capabilities: Capabilities;
  readonly routing: MemoryRouting<P>;
  readonly operations: BrokerContext["operations"];
  readonly own: MemoryQueue = new MemoryQueue();
  readonly #host: MemoryHost;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #lost: BrokerContext["lost"];
  /** Functions that end the wait of a message that will be redelivered. */
  readonly #waiting = new Set<() => void>();
  readonly #returns: Returns = {
    again: (queued, queue, delay) => this.#again(queued, queue, delay),
    bury: (message, why) => this.#bury(message, why),
  };
  #deliver: Deliver | undefined;
  #idle: (() => void) | undefined;
  /** How many messages are being handled. */
  #atWork = 0;
  #run = 0;
  /** Counts the queues that were looked at. */
  #turn = 0;
  #scheduled = false;
  #closed = false;

  /** Holds what is published until `consume`. */
  constructor(
    routing: MemoryRouting<P>,
    { clock, operations, lost, runtime, newId = randomId }: BrokerContext,
  ) {
    const { address, longestKey } = routing;
    this.capabilities = { everyWorker: true, keeps: false, delays: true, longestKey };
    this.routing = routing;
    this.operations = operations;
    this.#host = hostOf(address, runtime);
    this.#clock = clock;
    this.#newId = newId;
    this.#lost = lost;
    this.#host.join(this);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Queues a message where the operations of flows ask for it; its flows run later. */
  publish(message: P): void {
    if (this.#closed) throw new Error("the broker in this process is closed");
    const now = this.#clock.now();
    this.#send(message, this.routing.publish(message, { time: now, newId: this.#newId }), now);
  }

  /**
   * Queues a message as from outside: where the connector listens, else where it publishes. Returns
   * whether a queue has taken it.
   */
  receive(message: P): boolean {
    const now = this.#clock.now();
    const stamp = { time: now, newId: this.#newId };
    const comesIn = this.routing.given?.(message, stamp);
    if (comesIn !== undefined && this.#send(message, comesIn, now)) return true;
    const { required: _, ...published } = this.routing.publish(message, stamp);
    return this.#send(message, published, now);
  }

  consume(deliver: Deliver): Promise<void> {
    this.#deliver = deliver;
    // All flows are known by now.
    this.#host.join(this);
    this.wake();
    return Promise.resolve();
  }

  /** Does nothing: all messages come from this process. */
  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Delivers all that is queued; what waits to be redelivered does not wait any longer. */
  async drain(): Promise<void> {
    this.#endWaits();
    if (this.#deliver === undefined || this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idle = resolve);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#endWaits();
    for (const queue of this.#host.leave(this)) {
      for (let left = queue.shift(); left !== undefined; left = queue.shift()) {
        this.#lost(left.message.routingKey, "the broker in this process has ended");
      }
    }
    return Promise.resolve();
  }

  health(): undefined {
    return undefined;
  }

  counts(): Readonly<Record<string, number>> {
    return { queued: this.#length() + this.#waiting.size };
  }

  /** Nothing is delivered inside a write, so that a flow never runs in the middle of another. */
  wake(): void {
    if (this.#scheduled || this.#deliver === undefined || this.#closed) return;
    this.#scheduled = true;
    if (this.#run < LONGEST_RUN) {
      queueMicrotask(() => this.#pump());
    } else {
      this.#run = 0;
      setTimeout(() => this.#pump(), 0);
    }
  }

  #send({ routingKey, body, headers }: P, target: MemoryTarget, time: number): boolean {
    const text = toJson(target.headers ?? headers);
    const queues = this.#host.route(target, routingKey, time);
    if (queues.length === 0) return false;
    const { properties = NO_PROPERTIES } = target;
    const sequence = this.#host.next();
    push({ routingKey, body, headers: text, properties, time, sequence, retries: 0 }, queues);
    return true;
  }

  #pump(): void {
    this.#scheduled = false;
    while (this.#mayTake() && this.#run < LONGEST_RUN) {
      const queue = this.#nextQueue();
      const next = queue?.shift();
      if (queue === undefined || next === undefined) break;
      this.#run++;
      this.#handle(next, queue);
    }
    if (this.#mayTake() && this.#length() > 0) this.wake();
    if (this.#isIdle()) this.#idle?.();
  }

  #mayTake(): boolean {
    return this.#atWork < this.routing.prefetch;
  }

  /** The next queue with messages, so that none waits for another one to be empty. */
  #nextQueue(): MemoryQueue | undefined {
    const queues = this.#host.queuesOf(this);
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[this.#turn++ % queues.length];
      if (queue.length > 0) return queue;
    }
    return undefined;
  }

  #handle(next: Queued, queue: MemoryQueue): void {
    const handled = this.#deliver?.(new MemoryDelivery(next, queue, this.routing, this.#returns));
    if (handled === undefined) return;
    this.#atWork++;
    void handled.then(() => {
      this.#atWork--;
      this.wake();
    });
  }

  #again(again: Queued, queue: MemoryQueue, delay: number): void {
    if (this.#closed) throw new UnsendableError("the broker in this process is closed");
    // Without a delay the clock need not move.
    if (delay === 0) return queue.push(again);
    const end = (): void => {
      cancel();
      this.#waiting.delete(end);
      queue.push(again);
    };
    const cancel = this.#clock.after(delay, end);
    this.#waiting.add(end);
  }

  #bury(message: MemoryMessage, why: GivenUp): void {
    const letter = this.routing.deadLetter?.(message, why, JSON.parse(message.headers));
    if (letter === undefined) return;
    const { key, routingKey = key, properties = message.properties } = letter;
    const time = this.#clock.now();
    const queues = this.#host.route(letter, key, time);
    const headers = JSON.stringify(letter.headers);
    const sequence = this.#host.next();
    push({ ...message, routingKey, headers, properties, time, sequence, retries: 0 }, queues);
  }

  #endWaits(): void {
    for (const end of [...this.#waiting]) end();
  }

  #length(): number {
    let length = 0;
    for (const queue of this.#host.queuesOf(this)) length += queue.length;
    return length;
  }

  #isIdle(): boolean {
    return this.#atWork === 0 && this.#waiting.size === 0 && this.#length() === 0;
  }
}

const NO_PROPERTIES: Readonly<Record<string, unknown>> = Object.freeze({});

function push(message: MemoryMessage, queues: readonly Destination[]): void {
  for (const { queue, key } of queues) queue.push({ message, key });
}

function toJson(headers: Publication["headers"]): string {
  try {
    return JSON.stringify(headers);
  } catch (cause) {
    throw new UnsendableError(`a header cannot be written as JSON: ${shown(cause)}`, { cause });
  }
}
