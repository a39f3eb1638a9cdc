/** What an issuer answers, read no further than a set of keys can reach. */
import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { isObject } from "../../../base/json.ts";

/** At most this many bytes of an answer are read, counted after it is inflated. */
const MAX_BYTES = 2 ** 20;
/** The most keys that a set may have: a token that names no key is tried with each. */
const MAX_KEYS = 100;
/** How many compressed bytes are inflated at once: each can become a thousand. */
const SLICE = 1024;

/** The only encoding that is asked for, and inflated here where the runtime does not do it. */
export const GZIP = { "accept-encoding": "gzip" };

/**
 * The set of keys of an answer. It is read as it comes in and inflates, so that a small one that
 * inflates to a large one is left alone as soon as that shows.
 *
 * @throws {Error} The status is not 200, or the answer is too large or not a set of keys. The message
 * goes into the log and repeats nothing of the answer.
 */
export async function keySetOf(response: Response): Promise<JSONWebKeySet> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the status is ${response.status}`);
  }
  const set = parse(await readText(response));
  if (!isObject(set) || !Array.isArray(set.keys)) {
    throw new Error("the answer is not a JSON Web Key Set");
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
  const reader = (await inflated(body)).getReader();
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > MAX_BYTES) {
      // Not awaited: an error of the connection does not matter any more.
      reader.cancel().catch(() => {});
      throw new Error("the answer has more than 1 MB");
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** The body, inflated where it is still gzip: JSON never begins with the same two bytes. */
async function inflated(body: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const reader = body.getReader();
  const first = await reader.read();
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (first.done) controller.close();
      else slice(first.value, controller);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else slice(value, controller);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const isGzip = first.value?.[0] === 0x1f && first.value[1] === 0x8b;
  return isGzip ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}

function slice(
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
    throw new Error("the answer is not JSON");
  }
}
