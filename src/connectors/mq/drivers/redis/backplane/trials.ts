/** What `weir check --connect` does with keys and history: it uses each command that they need. */
import type { SharedKeys } from "../../../../../contract/backplane.ts";
import type { RedisHistory } from "./history.ts";

/** Milliseconds after which a key is gone that the user may not remove. */
const LASTS = 1000;

/**
 * Sets, reads, replaces and removes a key.
 *
 * @throws {BackplaneError} The server refuses one of them.
 */
export async function tryKeys(keys: SharedKeys): Promise<void> {
  const key = `check ${crypto.randomUUID()}`;
  await keys.add(key, "old", LASTS);
  await keys.get(key);
  await keys.replace(key, "old", "new", LASTS);
  await keys.remove(key, "new");
}

/**
 * Keeps a message for a moment, and reads it.
 *
 * @throws {BackplaneError} The server refuses one of the commands.
 */
export async function tryHistory(history: RedisHistory): Promise<void> {
  const topic = `check ${crypto.randomUUID()}`;
  const keep = { size: 1, ttl: LASTS };
  const message = new TextEncoder().encode("check");
  try {
    await history.append(topic, [{ message, id: "check" }], keep);
    await history.read(topic, keep, 1);
  } finally {
    // A script that was refused in its middle has set no time to live. It writes nothing without +del.
    await history.remove(topic).catch(() => undefined);
  }
}
