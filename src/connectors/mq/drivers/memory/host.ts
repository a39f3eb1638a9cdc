/** What stands for one RabbitMQ: the queues of all connectors of a runtime that name the same broker. */
import { Fifo } from "../../../../base/fifo.ts";
import type { Matcher } from "../../broker.ts";
import type { MqOptions, Settings } from "../../options.ts";
import { addressOf, bindingKeys, compilePattern } from "../../routing.ts";

/** A message in a queue. */
export interface Queued {
  /** The routing key and the exchange that it was published with. */
  readonly routingKey: string;
  readonly exchange: string;
  /** JSON, as on a wire. */
  readonly body: string;
  /** JSON. */
  readonly headers: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly retries: number;
}

/** A connector that consumes from a queue. */
export interface QueueConsumer {
  /** There may be a message for it. */
  wake(): void;
}

/** A queue, from which several connectors may consume. */
export class MemoryQueue {
  readonly #messages = new Fifo<Queued>();
  #consumers: QueueConsumer[] = [];

  /** How many messages wait. */
  get length(): number {
    return this.#messages.length;
  }

  /** Adds a message, which the consumers take in turn. */
  push(message: Queued): void {
    this.#messages.push(message);
    if (this.#consumers.length > 1) this.#consumers.push(...this.#consumers.splice(0, 1));
    for (const consumer of this.#consumers) consumer.wake();
  }

  /** Takes the oldest message; undefined where none waits. */
  shift(): Queued | undefined {
    return this.#messages.shift();
  }

  /** From now on it hears of messages. */
  join(consumer: QueueConsumer): void {
    this.#consumers.push(consumer);
  }

  /** Returns whether nobody is left who could take its messages. */
  leave(consumer: QueueConsumer): boolean {
    this.#consumers = this.#consumers.filter((one) => one !== consumer);
    return this.#consumers.length === 0;
  }
}

/** One connector's part of a broker. */
export interface HostMember {
  readonly settings: Settings;
  /** The operations of its flows; complete before the first message is routed. */
  readonly operations: readonly (string | undefined)[];
  readonly queue: MemoryQueue;
}

interface Binding {
  readonly matches: Matcher;
  readonly queue: MemoryQueue;
}

/** Routes as RabbitMQ does: from an exchange to every queue that is bound to it. */
export class MemoryHost {
  readonly #members = new Set<HostMember>();
  readonly #queues = new Map<string, MemoryQueue>();
  /** The bindings of each exchange; that with the empty name leads to each queue by its name. */
  #bindings: ReadonlyMap<string, readonly Binding[]> | undefined;

  /** The queue of this name, or a new one without a name. */
  queue(name: string | undefined): MemoryQueue {
    const queue = (name === undefined ? undefined : this.#queues.get(name)) ?? new MemoryQueue();
    if (name !== undefined) this.#queues.set(name, queue);
    return queue;
  }

  /** Adds a connector. */
  join(member: HostMember): void {
    this.#members.add(member);
    this.#bindings = undefined;
  }

  /** Removes a connector with its bindings. */
  leave(member: HostMember): void {
    this.#members.delete(member);
    this.#bindings = undefined;
  }

  /** The queues that get a message. */
  route(exchange: string, routingKey: string): readonly MemoryQueue[] {
    this.#bindings ??= this.#bind();
    const found: MemoryQueue[] = [];
    for (const { matches, queue } of this.#bindings.get(exchange) ?? []) {
      if (matches(routingKey) && !found.includes(queue)) found.push(queue);
    }
    return found;
  }

  #bind(): ReadonlyMap<string, readonly Binding[]> {
    // As with RabbitMQ, a connector without flows has no queue.
    const members = [...this.#members].filter(({ operations }) => operations.length > 0);
    const all = members.flatMap(({ settings, operations, queue }) => {
      const { exchange: { name, type }, queue: named } = settings;
      const bindings = bindingKeys(type, operations).map((key) => ({
        exchange: name,
        matches: compilePattern(type === "fanout" ? "#" : key),
        queue,
      }));
      if (named === undefined) return bindings;
      const matches: Matcher = (key) => key === named.name;
      return [...bindings, { exchange: "", matches, queue }];
    });
    const dead = members.flatMap(({ settings: { consumer: { deadLetters } } }) => {
      const queue = members.find(({ settings }) => settings.queue?.name === deadLetters?.queue)
        ?.queue;
      if (deadLetters === undefined || deadLetters.exchange === "" || queue === undefined) {
        return [];
      }
      return [{ exchange: deadLetters.exchange, matches: compilePattern("#"), queue }];
    });
    return Map.groupBy([...all, ...dead], ({ exchange }) => exchange);
  }
}

const hosts = new WeakMap<object, Map<string, MemoryHost>>();

/** The host of a connector: that of all connectors of its runtime whose broker has the same address. */
export function hostOf(options: MqOptions, runtime: object | undefined): MemoryHost {
  if (runtime === undefined) return new MemoryHost();
  const known = hosts.get(runtime) ?? new Map<string, MemoryHost>();
  hosts.set(runtime, known);
  const address = addressOf(options);
  const host = known.get(address) ?? new MemoryHost();
  known.set(address, host);
  return host;
}
