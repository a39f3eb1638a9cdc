/** Splits messages that are larger than the server takes, and joins them. */
import { headers, type MsgHdrs } from "@nats-io/transport-node";

/** The largest message in bytes, however the server splits it. */
export const LARGEST = 16 * 2 ** 20;

/** Bytes for the headers of a part. */
const ROOM = 256;

/** The header of a part: its sender, the number of the message, and which part of how many it is. */
const PART = "Weir-Part";

/** What its value looks like. */
const VALUE = /^([a-z0-9]{1,32}) (\d{1,15}) (\d{1,6})\/(\d{1,6})$/;

/** So many senders may have sent a part of a message. Beyond them the oldest is forgotten. */
const SENDERS = 64;

/** A part of a message. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly headers: MsgHdrs;
}

/** Splits the messages of one instance. */
export class Splitter {
  readonly #instance: string;
  #count = 0;

  constructor(instance: string) {
    this.#instance = instance;
  }

  /** Splits a message for a server that takes `most` bytes; undefined where that is too little. */
  split(message: Uint8Array, most: number): readonly Part[] | undefined {
    const size = most - ROOM;
    if (size < 1 || message.length > LARGEST) return undefined;
    const number = this.#count++;
    const all = Math.ceil(message.length / size);
    return Array.from({ length: all }, (_, i) => {
      const header = headers();
      header.set(PART, `${this.#instance} ${number} ${i}/${all}`);
      return { bytes: message.subarray(i * size, (i + 1) * size), headers: header };
    });
  }
}

/** The parts of a message that have arrived. */
interface Begun {
  readonly number: string;
  readonly all: number;
  readonly parts: Uint8Array[];
  size: number;
}

/** Joins what others have split. The parts of one sender arrive in order. */
export class Joiner {
  readonly #begun = new Map<string, Begun>();

  /**
   * The message that a part completes. Undefined where more parts follow, or the first ones did not
   * arrive. A message without the header is whole.
   */
  take(bytes: Uint8Array, headers: MsgHdrs | undefined): Uint8Array | undefined {
    if (headers === undefined || !headers.has(PART)) return bytes;
    const found = VALUE.exec(headers.get(PART));
    if (found === null) return undefined;
    const [, sender, number] = found;
    const [index, all] = found.slice(3).map(Number);
    const partial = index === 0
      ? this.#begin(sender, { number, all, parts: [], size: 0 })
      : this.#begun.get(sender);
    if (partial === undefined || !fits(partial, number, index, all, bytes)) {
      this.#begun.delete(sender);
      return undefined;
    }
    partial.parts.push(bytes);
    partial.size += bytes.length;
    if (partial.parts.length < all) return undefined;
    this.#begun.delete(sender);
    return joined(partial);
  }

  /** Forgets what has begun: the rest has been lost with the connection. */
  clear(): void {
    this.#begun.clear();
  }

  #begin(sender: string, begun: Begun): Begun {
    this.#begun.delete(sender);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size === SENDERS) this.#begun.delete(oldest);
    this.#begun.set(sender, begun);
    return begun;
  }
}

/** Whether a part is the next one of a message. */
function fits(partial: Begun, number: string, index: number, all: number, bytes: Uint8Array) {
  return partial.number === number && partial.all === all && index === partial.parts.length &&
    index < all && partial.size + bytes.length <= LARGEST;
}

function joined({ parts, size }: Begun): Uint8Array {
  const message = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}
