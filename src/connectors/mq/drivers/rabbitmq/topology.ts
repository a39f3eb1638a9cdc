/** The exchanges, queues and bindings that a connector needs. Declaring them again does no harm. */
import type { Channel } from "rabbitmq-client";
import type { DeadLetters, Exchange, Settings } from "../../options.ts";
import { bindingKeys } from "../../topic.ts";

/** A channel, or a connection, which has one for such needs. */
export type Declarer = Pick<Channel, "exchangeDeclare" | "queueDeclare" | "queueBind">;

/** Declares the exchange that events go through. */
export function declareExchange(declarer: Declarer, exchange: Exchange): Promise<void> {
  const { name, type, durable } = exchange;
  return declarer.exchangeDeclare({ exchange: name, type, durable });
}

/** Declares and binds the queue to consume from and all that its messages may go to; its name. */
export async function declareQueue(
  declarer: Declarer,
  settings: Settings,
  operations: readonly (string | undefined)[],
): Promise<string> {
  const { exchange, queue: named, consumer: { deadLetters } } = settings;
  await declareExchange(declarer, exchange);
  const { queue } = await declarer.queueDeclare(
    named === undefined ? { queue: "", exclusive: true, autoDelete: true } : {
      queue: named.name,
      durable: named.durable,
      exclusive: named.exclusive,
      autoDelete: named.autoDelete,
    },
  );
  for (const routingKey of bindingKeys(exchange.type, operations)) {
    await declarer.queueBind({ exchange: exchange.name, queue, routingKey });
  }
  if (deadLetters === undefined) return queue;
  await declareDeadLetters(declarer, deadLetters);
  if (named !== undefined) await declareWaitingRoom(declarer, queue);
  return queue;
}

/** Declares where dead letters end. */
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
 * Declares the queue in which messages wait to be delivered again, and gives its name. Each message
 * carries its own delay, so that another `retry_delay` needs no other queue. Only a quorum queue
 * lets go of a message not before the next queue has confirmed it.
 */
export async function declareWaitingRoom(declarer: Declarer, queue: string): Promise<string> {
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
