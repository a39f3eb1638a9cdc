/**
 * What the broker would refuse. Nothing is declared that is not there, and no message is sent or taken:
 * each question is one that changes nothing, whatever the answer.
 */
import { AMQPError, type Channel } from "rabbitmq-client";
import type { Exchange, Settings } from "../../options.ts";
import { type BrokerConnection, closeChannel } from "./connection.ts";
import { describe } from "./errors.ts";
import {
  deadLetterProperties,
  declareExchange,
  propertiesOf,
  retryProperties,
} from "./topology.ts";

/** What the flows do with the connector. */
export interface Uses {
  readonly publishes: boolean;
  readonly consumes: boolean;
}

type Ask = (channel: Channel) => Promise<unknown>;
type QueueProperties = Parameters<Channel["queueDeclare"]>[0] & { readonly queue: string };

/** Asks for everything that a start and the first message need; returns what is refused. */
export async function findRefusals(
  connection: BrokerConnection,
  settings: Settings,
  uses: Uses,
): Promise<readonly string[]> {
  const found: string[] = [];
  const asker = new Asker(connection, found);
  const { exchange, queue, publisher, consumer: { deadLetters } } = settings;
  const thereIs = await asker.exchange(exchange);
  const own = publisher.exchange === exchange.name;
  if (uses.publishes && (!own || thereIs)) await asker.publishing(publisher.exchange);
  if (!uses.consumes) return found;
  if (queue !== undefined && await asker.queue(propertiesOf(queue))) {
    await asker.consuming(queue.name);
    if (thereIs) await asker.binding(queue.name, exchange.name);
  }
  if (deadLetters === undefined) return found;
  await asker.queue(deadLetterProperties(settings));
  if (queue !== undefined) await asker.queue(retryProperties(queue.name));
  const { exchange: name } = deadLetters;
  const there = name === "" || await asker.exchange({ name, type: "topic", durable: true });
  // Messages are moved to the queues of dead letters and of retries by their names.
  if (there) await asker.publishing(name);
  if (name !== "" && queue !== undefined) await asker.publishing("");
  return found;
}

/** Asks one thing after the other, each on a channel of its own, since a refusal closes it. */
class Asker {
  readonly #connection: BrokerConnection;
  readonly #found: string[];

  constructor(connection: BrokerConnection, found: string[]) {
    this.#connection = connection;
    this.#found = found;
  }

  /** Whether an exchange is there. If it is, declaring it as we do changes nothing. */
  exchange(exchange: Exchange): Promise<boolean> {
    const passive = { exchange: exchange.name, passive: true };
    return this.#thing(
      (channel) => channel.exchangeDeclare(passive),
      (channel) => declareExchange(channel, exchange),
    );
  }

  /** Whether a queue is there. If it is, declaring it as we do changes nothing. */
  queue(properties: QueueProperties): Promise<boolean> {
    return this.#thing(
      (channel) => channel.queueDeclare({ queue: properties.queue, passive: true }),
      (channel) => channel.queueDeclare(properties),
    );
  }

  /** A publication that is taken back. */
  async publishing(exchange: string): Promise<void> {
    await this.#ask(async (channel) => {
      await channel.txSelect();
      await channel.basicPublish({ exchange, routingKey: NOWHERE }, NOWHERE);
      await channel.txRollback();
    });
  }

  /** The broker looks at the permission first, and then at an argument that is wrong. */
  async consuming(queue: string): Promise<void> {
    await this.#ask(async (channel) => {
      const wrong: Record<string, unknown> = { "x-priority": NOWHERE };
      await channel.basicConsume({ queue, arguments: wrong }, () => undefined).catch((error) => {
        if (!String(error.message).includes("invalid arg 'x-priority'")) throw error;
      });
    });
  }

  /** Removing a binding that is not there needs the permissions of making one. */
  async binding(queue: string, exchange: string): Promise<void> {
    await this.#ask((channel) => channel.queueUnbind({ queue, exchange, routingKey: NOWHERE }));
  }

  async #thing(look: Ask, declare: Ask): Promise<boolean> {
    const failure = await this.#try(look);
    if (failure instanceof AMQPError && failure.code === "NOT_FOUND") return false;
    // Another connection has it alone: the service that runs now, perhaps.
    if (failure instanceof AMQPError && failure.code === "RESOURCE_LOCKED") return false;
    if (failure !== undefined) this.#found.push(describe(failure));
    else await this.#ask(declare);
    return failure === undefined;
  }

  async #ask(ask: Ask): Promise<void> {
    const failure = await this.#try(ask);
    if (failure !== undefined) this.#found.push(describe(failure));
  }

  /** Returns why something is refused; undefined where it is not. */
  async #try(ask: Ask): Promise<unknown> {
    const channel = await this.#connection.client.acquire({ emitErrorsFromChannel: true });
    let refused: unknown;
    channel.on("error", (error) => refused = error);
    try {
      await this.#connection.answer(ask(channel), "answered");
      return refused;
    } catch (error) {
      return refused ?? error;
    } finally {
      await closeChannel(channel);
    }
  }
}

/** A routing key that nobody binds. */
const NOWHERE = "weir-check-connect";
