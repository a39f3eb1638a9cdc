/** What `weir check --connect` does with the exchange of a service: it is not there afterwards if it was not before. */
import { AMQPError, type Channel } from "rabbitmq-client";
import type { Clock } from "../../../../../base/clock.ts";
import { type BrokerConnection, closeChannel } from "../connection.ts";

/** How often it is removed, and milliseconds between: the broker removes bindings a moment after a queue. */
const ATTEMPTS = 20;
const PAUSE = 100;

/** What the broker says of an exchange that has bindings. */
const IN_USE = "PRECONDITION_FAILED";

/** Does `work`, which declares an exchange, and removes one that nobody else uses meanwhile. */
export async function withoutExchange<T>(
  connection: BrokerConnection,
  exchange: string,
  clock: Clock,
  work: () => Promise<T>,
): Promise<T> {
  const look = (channel: Channel) => channel.exchangeDeclare({ exchange, passive: true });
  const isNew = await refusalOf(connection, look) === "NOT_FOUND";
  try {
    return await work();
  } finally {
    const remove = (channel: Channel) => channel.exchangeDelete({ exchange, ifUnused: true });
    for (let attempt = 0; isNew && attempt < ATTEMPTS; attempt++) {
      if (await refusalOf(connection, remove) !== IN_USE) break;
      await new Promise<void>((resolve) => clock.after(PAUSE, resolve));
    }
  }
}

/** The code of the broker's refusal, which closes the channel; undefined where it refuses nothing. */
async function refusalOf(
  connection: BrokerConnection,
  ask: (channel: Channel) => Promise<unknown>,
): Promise<string | undefined> {
  if (connection.health !== undefined) return undefined;
  const channel = await connection.client.acquire({ emitErrorsFromChannel: true })
    // The connection is lost, which `work` finds out as well.
    .catch(() => undefined);
  if (channel === undefined) return undefined;
  let refused: unknown;
  channel.on("error", (error) => refused = error);
  const failure = await connection.answer(ask(channel), "answered")
    .then(() => refused, (error) => refused ?? error);
  await closeChannel(channel);
  return failure instanceof AMQPError ? failure.code : undefined;
}
