/** Which routing keys a queue gets. */
import type { Channel } from "rabbitmq-client";
import { withTimeout } from "../../../../../base/timeout.ts";
import { BackplaneError } from "../../../../../contract/backplane.ts";

/** `queue.bind` as the library numbers it. */
const BIND = 50 << 16 | 20;

/** What is used of the library that has no call; deno.json names its exact version. */
interface Internals {
  _invokeNowait(
    method: number,
    parameters: Readonly<Record<"exchange" | "queue" | "routingKey", string>> & {
      readonly nowait: true;
    },
  ): void;
}

/** How many are bound with one answer. The broker takes about a millisecond for each. */
const MOST = 200;

/** Keys that are bound with one answer. */
interface Batch {
  readonly keys: string[];
  /** Milliseconds that the broker has for them, from when they are sent. */
  readonly patience: number;
  readonly bound: PromiseWithResolvers<void>;
}

/** Binds one queue on one channel, which the broker works on in order. */
export class Bindings {
  readonly #channel: Channel;
  readonly #names: { readonly exchange: string; readonly queue: string };
  readonly #wanted = new Set<string>();
  /** What is bound, or will be in a moment, and not wanted any more. */
  readonly #unwanted = new Set<string>();
  /** What is not sent yet. The last one takes more. */
  readonly #batches: Batch[] = [];
  #binding = false;
  #unbinding = false;

  constructor(channel: Channel, names: { readonly exchange: string; readonly queue: string }) {
    this.#channel = channel;
    this.#names = names;
  }

  /**
   * Resolves when the broker has bound all of them. What is asked for meanwhile shares an answer.
   *
   * @throws {Error} The channel is closed, or the broker has not answered in time.
   */
  async add(keys: readonly string[], patience: number): Promise<void> {
    const batches = new Set<Promise<void>>();
    for (const key of keys) {
      this.#wanted.add(key);
      this.#unwanted.delete(key);
      const batch = this.#open(patience);
      batch.keys.push(key);
      batches.add(batch.bound.promise);
    }
    if (!this.#binding) void this.#bind();
    await Promise.all(batches);
  }

  /** Unbinds when there is time: each of them needs an answer of its own. */
  remove(keys: readonly string[]): void {
    for (const key of keys) {
      this.#wanted.delete(key);
      this.#unwanted.add(key);
    }
    // A channel that is closed has no bindings.
    if (!this.#unbinding) this.#unbind().catch(() => undefined);
  }

  #open(patience: number): Batch {
    const last = this.#batches.at(-1);
    if (last !== undefined && last.keys.length < MOST && last.patience === patience) return last;
    const batch: Batch = { keys: [], patience, bound: Promise.withResolvers<void>() };
    this.#batches.push(batch);
    return batch;
  }

  /** Sends one batch after the other. Never rejects. */
  async #bind(): Promise<void> {
    this.#binding = true;
    // What one turn asks for goes together.
    await Promise.resolve();
    for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
      const { keys, patience, bound } = batch;
      const wanted = keys.filter((key) => this.#wanted.has(key));
      await withTimeout(this.#ask(wanted), patience, () => {
        throw new BackplaneError(`the broker has not answered within ${patience / 1000} s`);
      }).then(bound.resolve, bound.reject);
    }
    this.#binding = false;
  }

  /**
   * The library waits for each answer before it asks the next question, so only the last one is a
   * question.
   */
  async #ask(keys: readonly string[]): Promise<void> {
    const last = keys.at(-1);
    if (last === undefined) return;
    const internals = this.#channel as unknown as Internals;
    for (const routingKey of keys.slice(0, -1)) {
      internals._invokeNowait(BIND, { ...this.#names, routingKey, nowait: true });
    }
    await this.#channel.queueBind({ ...this.#names, routingKey: last });
  }

  async #unbind(): Promise<void> {
    this.#unbinding = true;
    for (const routingKey of this.#unwanted) {
      this.#unwanted.delete(routingKey);
      await this.#channel.queueUnbind({ ...this.#names, routingKey });
    }
    this.#unbinding = false;
  }
}
