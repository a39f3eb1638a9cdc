/** What a backplane has on one connection: its queue, and its channels. */
import type { AsyncMessage, Channel } from "rabbitmq-client";
import type { Clock } from "../../../../../base/clock.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import { BackplaneError } from "../../../../../contract/backplane.ts";
import { type BrokerConnection, closeChannel, PATIENCE as ANSWERS } from "../connection.ts";
import { Bindings } from "./bindings.ts";
import { NOBODY } from "./names.ts";
import { PATIENCE, Sender } from "./sending.ts";

/** What a wire is made with. */
export interface WireOptions {
  readonly connection: BrokerConnection;
  readonly exchange: string;
  readonly queue: string;
  /** What the queue is bound to at first. */
  readonly keys: readonly string[];
  readonly clock: Clock;
  message(routingKey: string, body: Uint8Array): void;
  /** It is of no use any more. Called once, a turn later. */
  lost(failure: unknown): void;
}

/** A queue that gets messages, and a channel that sends them. */
export class Wire {
  readonly sender: Sender;
  readonly bindings: Bindings;
  readonly #channels: readonly Channel[];

  private constructor(sender: Sender, bindings: Bindings, channels: readonly Channel[]) {
    this.sender = sender;
    this.bindings = bindings;
    this.#channels = channels;
  }

  /**
   * Declares the exchange and the queue, binds it and consumes.
   *
   * @throws {Error} The broker refuses something, does not answer, or is away.
   */
  static async open(options: WireOptions): Promise<Wire> {
    const { connection, exchange, queue, keys, clock, message } = options;
    const answer = <T>(pending: Promise<T>) => connection.answer(pending, "answered");
    const acquire = () => answer(connection.client.acquire({ emitErrorsFromChannel: true }));
    const [incoming, outgoing] = [await acquire(), await acquire()];
    const channels = [incoming, outgoing];
    const sender = new Sender(connection, outgoing, exchange, clock);
    let failure: unknown;
    let isOpen = false;
    const end = (): void => {
      sender.close();
      if (!isOpen) return;
      isOpen = false;
      // The queue goes with its channel; another one would get the same messages beside it.
      for (const channel of channels) void closeChannel(channel);
      options.lost(failure);
    };
    for (const channel of channels) {
      channel.on("error", (error) => failure ??= error);
      // The library tells a turn later why it has lost the connection.
      channel.once("close", () => queueMicrotask(end));
    }
    // An operator has deleted the queue.
    incoming.once("basic.cancel", (_tag, error) => {
      failure ??= error;
      void closeChannel(incoming);
    });
    try {
      await answer(incoming.exchangeDeclare({ exchange, type: "direct", durable: false }));
      // The default type of the virtual host may be one that cannot be exclusive.
      const classic = { "x-queue-type": "classic" } as const;
      const own = { queue, exclusive: true, autoDelete: true, arguments: classic };
      await answer(incoming.queueDeclare(own));
      const bindings = new Bindings(incoming, { exchange, queue });
      // Without the right to bind a start fails, and not the first join: nobody sends to this key.
      await bindings.add([...keys, queue], ANSWERS);
      // The queue keeps what does not fit into the connection; there is nothing to be acknowledged.
      const take = ({ routingKey, body }: AsyncMessage): void => {
        if (body instanceof Uint8Array) message(routingKey, body);
      };
      await answer(incoming.basicConsume({ queue, noAck: true }, take));
      await answer(outgoing.confirmSelect());
      await tryRight(sender);
      if (!channels.every(({ active }) => active)) {
        throw failure ?? new Error("a channel is closed");
      }
      isOpen = true;
      return new Wire(sender, bindings, channels);
    } catch (error) {
      await Promise.all(channels.map(closeChannel));
      throw failure ?? error;
    }
  }

  /** Closes the channels, which are lost then. */
  async close(): Promise<void> {
    await Promise.all(this.#channels.map(closeChannel));
  }
}

/**
 * Publishes what nobody gets: without the permission a start fails, and not the first message. A broker
 * without memory does not answer.
 */
async function tryRight(sender: Sender): Promise<void> {
  try {
    await withTimeout(sender.send(NOBODY, new Uint8Array()), PATIENCE / 2, () => undefined);
  } catch (error) {
    throw error instanceof BackplaneError ? error.cause ?? error : error;
  }
}
