/** The public keys that an issuer publishes at a URL: fetched on demand, cached, fetched again. */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import type { Clock } from "../../base/clock.ts";
import { isObject } from "../../base/json.ts";
import type { Logger } from "../../contract/connector.ts";
import { MIN_RSA_BITS } from "./public-key.ts";

/** At most this many bytes of a response are read, counted after decompression. */
const MAX_BYTES = 2 ** 20;
/** The most keys in a set: a token that names no key is tried with each of them. */
const MAX_KEYS = 100;
/** How many compressed bytes are decompressed at once: each can become a thousand. */
const SLICE = 1024;
/** The only encoding that is accepted. It is decompressed here where the runtime does not do it. */
const GZIP = { "accept-encoding": "gzip" };

/** How long keys are cached and how often they are fetched, all in milliseconds. */
export interface JwksTiming {
  /** The set is fetched at most once in this time because a token names an unknown key. */
  readonly cooldown: number;
  /** Keys that are older are fetched again before they are used. */
  readonly maxAge: number;
  /** The time after a failure in which nothing is fetched. */
  readonly retry: number;
  /** The time limit of one fetch, well within that of a handshake. */
  readonly timeout: number;
}

/** Half a minute, ten minutes, a second and five seconds. */
export const JWKS_TIMING: JwksTiming = {
  cooldown: 30_000,
  maxAge: 600_000,
  retry: 1_000,
  timeout: 5_000,
};

/** The keys cannot be fetched, so no token can be verified. It has been logged. */
export class KeysUnavailable extends Error {
  /** `KeysUnavailable`. */
  override readonly name = "KeysUnavailable";
}

/** The parts of the connector that fetching uses. */
export interface JwksContext {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Returns a function that finds the key of a token. It throws `KeysUnavailable` where the keys cannot
 * be fetched, and jose's own errors where none of them fits the token.
 */
export function remoteKeys(
  url: URL,
  context: JwksContext,
  { cooldown, maxAge, retry, timeout }: JwksTiming = JWKS_TIMING,
): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, {
    cooldownDuration: cooldown,
    cacheMaxAge: maxAge,
    timeoutDuration: timeout,
    [customFetch]: fetchKeys(url, context, retry),
  });
  return async (header, token) => usable(await keys(header, token).catch(unusable));
}

/** Fetches a whole set, or throws. Throws at once for a while after a failure. */
function fetchKeys(url: URL, { clock, logger }: JwksContext, retry: number): FetchImplementation {
  // A query might contain a key of its own.
  const place = url.origin + url.pathname;
  let failure: { readonly error: KeysUnavailable; readonly at: number } | undefined;
  return async (address, options) => {
    if (failure !== undefined && clock.elapsed() - failure.at < retry) throw failure.error;
    try {
      // jose follows no redirect, and its signal ends a response that never does. Bun would
      // decompress everything that has arrived before it can be stopped; with `decompress: false` it
      // leaves that to `keySetOf`. The other runtimes ignore the option and decompress on reading.
      const headers = new Headers([...new Headers(options.headers), ...Object.entries(GZIP)]);
      const init = { ...options, headers, decompress: false };
      const set = await keySetOf(await fetch(address, init));
      if (failure !== undefined) {
        logger.info("the keys at {place} are available again", { place });
      }
      failure = undefined;
      return Response.json(set);
    } catch (cause) {
      const error = new KeysUnavailable(`failed to fetch the keys at ${place}`, { cause });
      // Logged once for an outage, however many clients it affects.
      if (failure === undefined) logger.error("{error}: {cause}", { error: error.message, cause });
      failure = { error, at: clock.elapsed() };
      throw error;
    }
  };
}

/** A key of the set that cannot be imported counts as a missing key. */
function unusable(error: unknown): never {
  if (error instanceof KeysUnavailable || error instanceof errors.JOSEError) throw error;
  throw new errors.JWKInvalid("the key in the set cannot be used", { cause: error });
}

/** Structural, because the type of `CryptoKey` depends on which types are installed. */
function usable<Key extends object>(key: Key): Key {
  const { algorithm } = key as { readonly algorithm?: { readonly modulusLength?: number } };
  const { modulusLength } = algorithm ?? {};
  if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS) {
    throw new errors.JWKInvalid(`the key in the set has fewer than ${MIN_RSA_BITS} bits`);
  }
  return key;
}

/**
 * Reads the set of keys in a response. Reads it as it arrives and is decompressed, so that a small
 * response that decompresses to a large one is stopped early.
 *
 * @throws {Error} The status is not 200, or the response is too large or not a set of keys. The
 * message is logged and repeats nothing of the response.
 */
async function keySetOf(response: Response): Promise<JSONWebKeySet> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the status is ${response.status}`);
  }
  const set = parse(await readText(response));
  if (!isObject(set) || !Array.isArray(set.keys)) {
    throw new Error("the response is not a JSON Web Key Set");
  }
  if (set.keys.length > MAX_KEYS) {
    throw new Error(`the set has ${set.keys.length} keys, more than ${MAX_KEYS}`);
  }
  // Throws where a key is not an object.
  createLocalJWKSet(set as unknown as JSONWebKeySet);
  return set as unknown as JSONWebKeySet;
}

async function readText({ body }: Response): Promise<string> {
  if (body === null) return "";
  const reader = (await decompressed(body)).getReader();
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > MAX_BYTES) {
      // Not awaited: an error of the connection does not matter any more.
      reader.cancel().catch(() => {});
      throw new Error("the response has more than 1 MB");
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** The body, decompressed where it is still gzip: JSON never starts with the same two bytes. */
async function decompressed(body: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const reader = body.getReader();
  const first = await reader.read();
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (first.done) controller.close();
      else enqueueSlices(first.value, controller);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else enqueueSlices(value, controller);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const isGzip = first.value?.[0] === 0x1f && first.value[1] === 0x8b;
  return isGzip ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}

function enqueueSlices(
  chunk: Uint8Array,
  controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
): void {
  for (let at = 0; at < chunk.length; at += SLICE) {
    controller.enqueue(Uint8Array.from(chunk.subarray(at, at + SLICE)));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("the response is not JSON");
  }
}
