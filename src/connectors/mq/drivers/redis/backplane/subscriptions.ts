/** The topics that an instance is subscribed to, over all connections. */
import type { Buffer } from "node:buffer";
import type { Client } from "../server/client.ts";
import type { Commands } from "./commands.ts";
import type { Names } from "./names.ts";

/** How many channels one command names. */
const CHUNK = 1000;

/** Keeps the subscriptions in force on whichever connection there is. */
export class Subscriptions {
  readonly #names: Names;
  readonly #hear: (topic: string, message: Buffer) => void;
  /** The call that subscribed to each channel: another one may have done so after it failed. */
  readonly #channels = new Map<string, symbol>();
  /** The latest one, also while it is prepared. */
  #client: Client | undefined;
  /** Ends the wait for a beat. */
  #beat: (() => void) | undefined;

  /** Calls `hear` for each message. */
  constructor(names: Names, hear: (topic: string, message: Buffer) => void) {
    this.#names = names;
    this.#hear = hear;
  }

  /** Puts all subscriptions in force on a new connection. */
  async prepare(client: Client): Promise<void> {
    this.#client = client;
    await Promise.all([
      client.subscribe(this.#names.beat, () => this.#beat?.(), true),
      // Who may not unsubscribe is told at the start.
      client.unsubscribe(this.#names.topics, this.#take, true),
      ...chunksOf([...this.#channels.keys()]).map((some) => this.#send(client, some)),
    ]);
  }

  /** Resolves when the connection has brought a message of its own: it can live while it is deaf. */
  async hearItself(client: Client): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#beat = resolve);
    await client.publish(this.#names.beat, "");
    await heard;
  }

  /**
   * Subscribes to topics, all or none of them.
   *
   * @throws {BackplaneError} There is no connection, the server refused it, or no answer came.
   */
  async add(topics: readonly string[], commands: Commands): Promise<void> {
    const call = Symbol();
    const channels = topics.map((topic) => this.#names.topics + topic);
    try {
      await commands.run(async (client) => {
        for (const channel of channels) this.#channels.set(channel, call);
        await Promise.all(chunksOf(channels).map((some) => this.#send(client, some)));
      });
    } catch (error) {
      this.#end(channels.filter((channel) => this.#channels.get(channel) === call));
      throw error;
    }
  }

  /** Ends subscriptions to topics. */
  delete(topics: readonly string[]): void {
    const channels = topics.map((topic) => this.#names.topics + topic);
    this.#end(channels.filter((channel) => this.#channels.has(channel)));
  }

  #end(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.delete(channel);
    const client = this.#client;
    // A connection that is lost has no subscriptions.
    if (!client?.isReady) return;
    for (const some of chunksOf(channels)) {
      client.unsubscribe(some, this.#take, true).catch(() => undefined);
    }
  }

  async #send(client: Client, channels: string[]): Promise<void> {
    await client.subscribe(channels, this.#take, true);
  }

  readonly #take = (message: Buffer, channel: Buffer): void => {
    // The prefix has one byte for each character.
    this.#hear(channel.toString("utf8", this.#names.topics.length), message);
  };
}

function chunksOf(channels: readonly string[]): string[][] {
  const chunks: string[][] = [];
  for (let first = 0; first < channels.length; first += CHUNK) {
    chunks.push(channels.slice(first, first + CHUNK));
  }
  return chunks;
}
