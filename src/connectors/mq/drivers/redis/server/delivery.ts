/** An entry of a stream that is being handled. */
import type { Buffer } from "node:buffer";
import type { DeadLetter, Delivery, GivenUp } from "../../../../../messaging/mod.ts";
import { readEntry } from "./entry.ts";
import type { Holding, Read, Stream } from "./stream.ts";

/** Who delivers an entry again. */
export interface Redeliverer {
  /** Delivers it `delay` milliseconds from now. */
  deliverLater(stream: Stream, holding: Holding, delay: number): void | Promise<void>;
  /** How often an entry is redelivered at most, before it counts as one that ends the process. */
  mostRetries(): number;
}

/** It is settled with commands to the stream's group. */
export class StreamDelivery implements Delivery, Holding {
  readonly id: string;
  readonly retries: number;
  readonly content: Delivery["content"];
  lost = false;
  readonly #stream: Stream;
  readonly #fields: readonly Buffer[];
  readonly #consumer: Redeliverer;

  constructor(
    stream: Stream,
    { id, retries, fields }: Read,
    consumer: Redeliverer,
  ) {
    this.id = id;
    this.retries = retries;
    this.content = retries === 0 || retries <= consumer.mostRetries()
      ? readEntry(stream.name, id, fields)
      : { reason: `it was delivered ${retries + 1} times, and not settled`, permanent: true };
    this.#stream = stream;
    this.#fields = fields;
    this.#consumer = consumer;
  }

  get routingKey(): string {
    return this.#stream.name;
  }

  get held(): boolean {
    return !this.lost;
  }

  ack(): void {
    this.#stream.ack(this.id);
  }

  /** It was not delivered to the end: any process claims it, as the same attempt. */
  requeue(): void {
    if (!this.lost) void this.#stream.release(this, 0);
  }

  discard(): void {
    if (!this.lost) this.#stream.ack(this.id);
  }

  redeliver(_reason: string, retries: number, delay: number): void | Promise<void> {
    // The process that has it now delivers it.
    if (this.lost) return;
    return this.#consumer.deliverLater(this.#stream, { id: this.id, retries, lost: false }, delay);
  }

  async deadLetter(why: GivenUp): Promise<DeadLetter> {
    if (this.lost) throw new Error("another process has taken it over");
    await this.#stream.deadLetter(this.id, this.#fields, why);
    return {};
  }
}
