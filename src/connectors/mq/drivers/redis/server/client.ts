/** The client of the library, as it is used here: one connection, without anything that repeats. */
import { createClient, RESP_TYPES } from "@redis/client";
import { Buffer } from "node:buffer";
import tls from "node:tls";
import { withTimeout } from "../../../../../base/timeout.ts";
import { readTls, tlsOptions } from "../../../../../contract/tls-files.ts";
import type { Address, Node } from "../settings.ts";
import { FinalError } from "./errors.ts";

/** Milliseconds after which an attempt to connect, or to close, is given up. */
export const PATIENCE = 5000;

/** Texts as bytes, since streams and channels carry any; and maps as lists, whose keys may be any. */
export const BYTES = {
  typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.MAP]: Array },
} as const;

/** It connects once: who loses it makes another one. */
export type Client = ReturnType<typeof makeClient>;

/** What a socket is told about TLS. */
export type Tls = { readonly tls: true } & ReturnType<typeof tlsOptions>;

/** Reads the files of an address; undefined without TLS. */
export async function tlsOf({ tls: files }: Address): Promise<Tls | undefined> {
  if (files === undefined) return undefined;
  const fail = (message: string): never => {
    throw new FinalError(message);
  };
  return { tls: true, ...tlsOptions(await readTls(files, fail)) };
}

/** Makes a client, which connects when it is told to. `name` is shown in the server's list of clients. */
export function makeClient(
  { host, port, username, password }: Node,
  { encryption, database = 0, name }: {
    readonly encryption: Tls | undefined;
    readonly database?: number;
    readonly name?: string;
  },
) {
  const client = createClient({
    socket: { host, port, connectTimeout: PATIENCE, reconnectStrategy: false, ...encryption },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== 0 && { database }),
    // The server takes no spaces there.
    ...(name !== undefined && { name: name.replace(/[^!-~]/g, "_") }),
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    // The library would make a timer for each command; a heartbeat finds a server that says nothing.
    commandOptions: { timeout: undefined },
  });
  // What fails rejects as well; `Link` listens to the loss of a connection.
  client.on("error", () => undefined);
  return client;
}

/** Connects a client. */
export async function connectClient(client: Client): Promise<void> {
  await ("Deno" in globalThis ? connectOnDeno(client) : client.connect());
}

/**
 * The library listens to the errors of its socket a moment after the socket is connected: where a server
 * refuses in the same moment, as for want of a certificate, Deno would end the process. So the socket gets
 * a listener while the library makes it, which happens inside of this call: the library takes no socket,
 * and with a `signal` among its options, which listens as well, the reason would be lost.
 */
async function connectOnDeno(client: Client): Promise<void> {
  const { connect } = tls;
  const failed = Promise.withResolvers<never>();
  const watched = (...args: Parameters<typeof connect>): tls.TLSSocket => {
    const socket = connect(...args);
    socket.on("error", failed.reject);
    return socket;
  };
  // Nobody may wait for it any more.
  failed.promise.catch(() => undefined);
  Reflect.set(tls, "connect", watched);
  let connecting: Promise<unknown>;
  try {
    connecting = client.connect();
  } finally {
    Reflect.set(tls, "connect", connect);
  }
  await Promise.race([connecting, failed.promise]);
}

/** Does `work` with a new client, and ends the client where that fails, takes too long or is aborted. */
export async function inTime<T>(
  client: Client,
  patience: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(new Error("it is closed"));
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const working = work();
  try {
    return await withTimeout(Promise.race([working, aborted.promise]), patience, () => {
      throw new Error(`it has not answered within ${patience / 1000} s`);
    });
  } catch (error) {
    client.destroy();
    // The library goes on with a socket that connects later than this.
    working.then(() => client.destroy(), () => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
