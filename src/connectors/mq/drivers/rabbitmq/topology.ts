/** The exchanges, queues and bindings that a connector needs. Declaring them again does no harm. */
import type { Channel } from "rabbitmq-client";
import type { DeadLetters, Exchange, Queue, Settings } from "../../options.ts";
import { bindingKeys } from "../../routing.ts";

/** A channel, or a connection, which uses a channel of its own. */
export type Declarer = Pick<Channel, "exchangeDeclare" | "queueDeclare" | "queueBind">;

/** Declares the exchange that events go through. */
export function declareExchange(declarer: Declarer, exchange: Exchange): Promise<void> {
  const { name, type, durable } = exchange;
  return declarer.exchangeDeclare({ exchange: name, type, durable });
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
  const { exchange, queue: named, consumer: { deadLetters } } = settings;
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
  if (deadLetters === undefined) return queue;
  await declareDeadLetters(declarer, deadLetters);
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
  { exchange, queue, consumer: { deadLetters } }: Settings,
): Promise<void> {
  await declareExchange(declarer, exchange);
  if (queue !== undefined && !queue.exclusive && !queue.autoDelete) {
    await declarer.queueDeclare(propertiesOf(queue));
    if (deadLetters !== undefined) await declareRetryQueue(declarer, queue.name);
  }
  if (deadLetters !== undefined) await declareDeadLetters(declarer, deadLetters);
}

function propertiesOf({ name: queue, durable, exclusive, autoDelete }: Queue) {
  return { queue, durable, exclusive, autoDelete };
}

/** Declares the queue of dead letters, and the exchange before it. */
export async function declareDeadLetters(
  declarer: Declarer,
  { exchange, queue }: DeadLetters,
): Promise<void> {
  await declarer.queueDeclare({ queue, durable: true });
  if (exchange === "") return;
  await declarer.exchangeDeclare({ exchange, type: "topic", durable: true });
  await declarer.queueBind({ exchange, queue, routingKey: "#" });
}

/**
 * Declares the queue in which messages wait to be redelivered, and returns its name. Each message
 * carries its own delay, so that another `retry_delay` needs no other queue. Only a quorum queue keeps
 * a message until the next queue has confirmed it.
 */
export async function declareRetryQueue(declarer: Declarer, queue: string): Promise<string> {
  const name = `${queue}.retry`;
  await declarer.queueDeclare({
    queue: name,
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": queue,
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    },
  });
  return name;
}
