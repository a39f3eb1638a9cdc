/** What `weir check --connect` does with a backplane: an instance joins for a moment, and sends to itself. */
import { ConnectorError } from "../../base/errors.ts";
import { messageOf, quoted } from "../../base/shown.ts";
import { withTimeout } from "../../base/timeout.ts";
import { type Backplane, type BackplaneContext, BackplaneError } from "../../contract/backplane.ts";

/** Milliseconds after which a message has not come back. */
const PATIENCE = 2000;

/**
 * Opens a backplane, listens to a topic of its own, hears a message there, and closes it. `others` are
 * tried between, all of them, and throw what is refused. Returns what it found, in a few words.
 *
 * @throws {ConnectorError} The broker is away, or refuses something.
 */
export async function tryBackplane(
  backplane: Backplane,
  { name, service, instance }: BackplaneContext,
  others: readonly (() => Promise<void>)[] = [],
): Promise<string> {
  const topic = `check:${instance}`;
  const heard = Promise.withResolvers<void>();
  const ignore = (): void => undefined;
  const message = (on: string): void => {
    if (on === topic) heard.resolve();
  };
  try {
    await backplane.open({ message, up: ignore, down: ignore, members: ignore });
    const reason = backplane.health();
    if (reason !== undefined) throw new BackplaneError(reason);
    await backplane.subscribe([topic]);
    await backplane.publish(topic, new TextEncoder().encode("check"));
    await withTimeout(heard.promise, PATIENCE, () => {
      throw new BackplaneError(`its own message has not come back within ${PATIENCE / 1000} s`);
    });
    const refused: string[] = [];
    for (const other of others) {
      await other().catch((error) => void refused.push(messageOf(error)));
    }
    if (refused.length > 0) throw new BackplaneError(refused.join("; "));
  } catch (cause) {
    if (!(cause instanceof BackplaneError)) throw cause;
    throw new ConnectorError(name, `cannot link the instances: ${cause.message}`, { cause });
  } finally {
    await backplane.close();
  }
  return `it links the instances of the service ${quoted(service)}`;
}
