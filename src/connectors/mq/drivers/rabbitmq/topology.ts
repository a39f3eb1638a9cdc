/** The exchanges, queues and bindings that a connector needs. Declaring them again does no harm. */
import type { Channel } from "rabbitmq-client";
import type { Exchange, Queue, Settings } from "../../options.ts";
import { bindingKeys } from "../../exchanges.ts";

/** A channel, or a connection, which uses a channel of its own. */
export type Declarer = Pick<Channel, "exchangeDeclare" | "queueDeclare" | "queueBind">;

/** Declares the exchange that events go through. Those of the broker itself are there, and need no rights. */
export async function declareExchange(declarer: Declarer, exchange: Exchange): Promise<void> {
  const { name, type, durable } = exchange;
  if (name === `amq.${type}` && durable) return;
  await declarer.exchangeDeclare({ exchange: name, type, durable });
}

/**
 * Declares the queue to consume from and the queues that its messages may move to; returns its name.
 * `connectionId` is another one for each connection to the broker.
 */
export async function declareQueue(
  declarer: Declarer,
  settings: Settings,
  operations: readonly (string | undefined)[],
  connectionId: string,
): Promise<string> {
  const { exchange, queue: named } = settings;
  await declareExchange(declarer, exchange);
  const { queue } = await declarer.queueDeclare(
    named === undefined ? { queue: "", exclusive: true, autoDelete: true } : propertiesOf(named),
  );
  // The broker deletes an exclusive queue with its connection, and the routes of its bindings a moment
  // later: those of a new queue of this name as well, unless its bindings have other arguments.
  const args = named?.exclusive ? { arguments: { "x-weir-connection": connectionId } } : {};
  for (const routingKey of bindingKeys(exchange.type, operations)) {
    await declarer.queueBind({ exchange: exchange.name, queue, routingKey, ...args });
  }
  if (settings.consumer.deadLetters === undefined) return queue;
  await declareDeadLetters(declarer, settings);
  if (named !== undefined) await declareRetryQueue(declarer, queue);
  return queue;
}

/**
 * Declares only what takes no message from another consumer: queues without their bindings. Finds
 * queues and exchanges that exist with other properties. An exclusive queue belongs to one connection,
 * and one that the broker deletes by itself would stay if nothing ever consumed from it.
 */
export async function declareUnbound(
  declarer: Declarer,
  settings: Settings,
): Promise<void> {
  const { exchange, queue, consumer: { deadLetters } } = settings;
  await declareExchange(declarer, exchange);
  if (queue !== undefined && !queue.exclusive && !queue.autoDelete) {
    await declarer.queueDeclare(propertiesOf(queue));
    if (deadLetters !== undefined) await declareRetryQueue(declarer, queue.name);
  }
  await declareDeadLetters(declarer, settings);
}

/** How a named queue is declared. */
export function propertiesOf({ name: queue, durable, type, exclusive, autoDelete }: Queue) {
  return { queue, durable, exclusive, autoDelete, ...argumentsOf(type) };
}

/**
 * The arguments of a queue of this type. RabbitMQ drops what has been returned to a quorum queue 20
 * times, which a service does that is restarted again and again, or that crashes over a message.
 */
function argumentsOf(type: Queue["type"]) {
  if (type === undefined) return {};
  const unlimited = type === "quorum" ? { "x-delivery-limit": MOST_DELIVERIES } : {};
  return { arguments: { "x-queue-type": type, ...unlimited } };
}

/** The largest limit. RabbitMQ before 4.0 does not take -1, which means none. */
const MOST_DELIVERIES = 2 ** 31 - 1;

/** How the queue of dead letters is declared: as safe as the queue that its messages come from. */
export function deadLetterProperties({ queue, consumer: { deadLetters } }: Settings) {
  const safe = queue?.type === "quorum" ? argumentsOf("quorum") : {};
  return { queue: deadLetters?.queue ?? "", durable: true, ...safe };
}

/** Declares the queue of dead letters, and the exchange before it, where there is a dlq block. */
export async function declareDeadLetters(declarer: Declarer, settings: Settings): Promise<void> {
  const { deadLetters } = settings.consumer;
  if (deadLetters === undefined) return;
  const { exchange, queue } = deadLetters;
  await declarer.queueDeclare(deadLetterProperties(settings));
  if (exchange === "") return;
  await declarer.exchangeDeclare({ exchange, type: "topic", durable: true });
  await declarer.queueBind({ exchange, queue, routingKey: "#" });
}

/**
 * How the queue is declared in which messages of `queue` wait to be redelivered. Each message carries
 * its own delay, so that another `retry_delay` needs no other queue. Only a quorum queue keeps a message
 * until the next queue has confirmed it. Nobody consumes from it: it needs no limit of deliveries.
 */
export function retryProperties(queue: string) {
  return {
    queue: `${queue}.retry`,
    durable: true,
    arguments: {
      "x-queue-type": "quorum" as const,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": queue,
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish" as const,
    },
  };
}

/** Declares that queue, and returns its name. */
export async function declareRetryQueue(declarer: Declarer, queue: string): Promise<string> {
  return (await declarer.queueDeclare(retryProperties(queue))).queue;
}
