/** Listens to channels, on a connection of its own, whatever happens to it. */
import type { Buffer } from "node:buffer";
import {
  type BrokerContext,
  type Deliver,
  Intake,
  type Pushed,
  readBody,
} from "../../../../../messaging/mod.ts";
import { subscriptionOf } from "../checks.ts";
import { isGlob } from "../glob.ts";
import type { Client } from "./client.ts";
import { Link, type LinkOptions } from "./link.ts";

/** What the names of the channels begin with on which a subscriber hears itself. */
export const BEATS = "weir:beat:";

/** What a subscriber works with. */
export interface SubscriberContext
  extends Pick<BrokerContext, "operations" | "logger" | "clock" | "lost"> {
  readonly link: Pick<LinkOptions, "outage" | "open" | "expected">;
  readonly prefetch: number;
}

/** Hands over what is published while it is subscribed. */
export class Subscriber {
  readonly #context: SubscriberContext;
  readonly #subscriptions: readonly string[];
  readonly #beat = BEATS + crypto.randomUUID();
  #link: Link | undefined;
  #intake: Intake | undefined;
  #subscribed = 0;
  /** Ends the wait for a beat. */
  #heard: (() => void) | undefined;

  /** Does nothing before `start`. */
  constructor(context: SubscriberContext) {
    this.#context = context;
    this.#subscriptions = [...new Set(context.operations.map(subscriptionOf))];
  }

  /** Why it hears nothing at the moment, although it should. */
  get health(): string | undefined {
    return this.#link?.health;
  }

  /** How often a subscription was lost, and with it what was published before the next one. */
  get gaps(): number {
    return Math.max(0, this.#subscribed - 1);
  }

  /**
   * Subscribes, now or as soon as there is a connection. `takesOver` is true if another process has
   * listened before. Returns the error that the first attempt ended with, if any; not where there is no
   * connection anyway, or nobody who would stop for it.
   */
  async start(deliver: Deliver, takesOver: boolean, isAway: boolean): Promise<unknown> {
    const { link, clock, lost, prefetch } = this.#context;
    if (takesOver) this.#subscribed++;
    this.#intake = new Intake({ clock, lost, prefetch, deliver });
    const patient = takesOver || isAway;
    this.#link = new Link({
      ...link,
      patient,
      prepare: ({ client }) => this.#subscribe(client),
      beat: (client) => this.#hearItself(client),
    });
    this.#link.onReady(() => this.#count());
    return patient ? undefined : await this.#link.opened;
  }

  /** Listens no more. */
  stop(): void {
    this.#link?.close();
  }

  /** Waits until what has been heard is handled. */
  async drain(): Promise<void> {
    await this.#intake?.drain();
  }

  async #subscribe(client: Client): Promise<void> {
    const globs = this.#subscriptions.filter(isGlob);
    const channels = this.#subscriptions.filter((name) => !isGlob(name));
    const subscribing: Promise<void>[] = [
      client.subscribe(this.#beat, () => this.#heard?.(), true),
    ];
    if (channels.length > 0) {
      const take = (body: Buffer, channel: Buffer) => {
        const name = channel.toString();
        this.#take(name, name, null, body);
      };
      subscribing.push(client.subscribe(channels, take, true));
    }
    for (const glob of globs) {
      const take = (body: Buffer, channel: Buffer) =>
        this.#take(glob, channel.toString(), glob, body);
      subscribing.push(client.pSubscribe(glob, take, true));
    }
    await Promise.all(subscribing);
  }

  /** A connection can live while its subscriptions do not. */
  async #hearItself(client: Client): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#heard = resolve);
    await client.publish(this.#beat, "");
    await heard;
  }

  #take(key: string, channel: string, pattern: string | null, body: Buffer): void {
    // A pattern may match the channels on which instances hear themselves.
    if (pattern !== null && channel.startsWith(BEATS)) return;
    const read = readBody(body);
    const content: Pushed["content"] = "reason" in read
      ? read
      : { key, body: read.body, metadata: { _channel: channel, _pattern: pattern } };
    this.#intake?.push({ routingKey: channel, content, size: body.length });
  }

  #count(): void {
    if (++this.#subscribed === 1) return;
    this.#context.logger.warn(
      "listens to its channels again; events since the former subscription was lost are missing",
    );
  }
}
