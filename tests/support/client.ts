/** A client of the library on a fake platform. */
import type { Client, ConnectOptions } from "../../src/client/api.ts";
import { createClient } from "../../src/client/client.ts";
import { settle } from "./clock.ts";
import { FakePlatform, type FakeSocket } from "./fake-platform.ts";

/** A client, with what it says of itself. */
export interface Play {
  readonly platform: FakePlatform;
  readonly client: Client;
  /** Each status, with the code of its reason. */
  readonly statuses: string[];
}

/** Makes one that is about to connect. */
export async function play(options: ConnectOptions = {}, url = "ws://host/ws"): Promise<Play> {
  const platform = new FakePlatform();
  const client: Client = createClient(url, options, platform);
  const statuses: string[] = [];
  client.on("status", (status, reason) => {
    statuses.push(reason === undefined ? status : `${status} ${reason.code}`);
  });
  await settle();
  return { platform, client, statuses };
}

/** Makes one that is connected. */
export async function connected(
  options?: ConnectOptions,
): Promise<Play & { readonly socket: FakeSocket }> {
  const made = await play(options);
  made.platform.socket.accept();
  await settle();
  return { ...made, socket: made.platform.socket };
}

/** How a promise has ended so far: `waits`, its value as JSON, or the code of its error. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  const end = outcomeOf(promise);
  await settle();
  return end();
}

/** Tells at any time how a promise has ended so far. */
export function outcomeOf(promise: Promise<unknown>): () => string {
  let found = "waits";
  promise.then(
    (value) => found = value === undefined ? "undefined" : JSON.stringify(value),
    (error) => found = `${(error as { readonly code?: string }).code ?? error}`,
  );
  return () => found;
}
