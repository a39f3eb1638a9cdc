/** How instances write to each other: batches of entries as bytes. */
import { concat } from "../base/bytes.ts";

/** The version of the format. A reader ignores batches of any other. */
const VERSION = 1;

/** What an entry is. A reader ignores kinds that it does not know. */
export const Kind = {
  /** A message of a connector to a topic. It has a payload and nothing else. */
  message: 0,
  /** A message of a connector to one instance. */
  tell: 1,
  /** A question of a connector; of the group itself where the connector is empty. */
  question: 2,
  /** The answer to the question of that number. */
  answer: 3,
  /** An instance begins and asks for a welcome; the number is the age that it had, or 0. */
  hello: 4,
  /** What an instance tells a new one; the number is the age of the instance, or 0 without one. */
  welcome: 5,
  /** An instance lives; the number is its age. */
  heartbeat: 6,
  /** An instance ends. */
  leave: 7,
  /** The instance that reads it was declared dead when it had the age of that number. */
  dropped: 8,
  /** How far a schedule has come. */
  progress: 9,
  /** The question of that number has no answer: the connector is not there. */
  unanswered: 10,
} as const;

/** A part of a batch. */
export interface Entry {
  /** One of `Kind`, or one of a later program. */
  readonly kind: number;
  /** What it means depends on the kind. Not negative. */
  readonly number: number;
  /** The name of the connector; empty where it is of the group. */
  readonly connector: string;
  readonly payload: Uint8Array;
}

/** A batch that was read. */
export interface Batch {
  /** The id of the instance that wrote it. */
  readonly sender: string;
  /** Its number among the batches of the sender. */
  readonly sequence: number;
  readonly entries: readonly Entry[];
}

/** Why a batch was not read. */
export type Unread = "unknown version" | "unreadable";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const LONGEST_ID = 32;
const EMPTY = new Uint8Array();

/** Makes an entry. */
export function entry(
  kind: number,
  { number = 0, connector = "", payload = EMPTY }: Partial<Omit<Entry, "kind">> = {},
): Entry {
  return { kind, number, connector, payload };
}

/** The bytes of a batch that is being written. A payload is copied once, when it is finished. */
export class BatchWriter {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  /** How many bytes its entries have. */
  get size(): number {
    return this.#size;
  }

  /** Adds an entry. Nobody may change its payload afterwards. */
  add({ kind, number, connector, payload }: Entry): void {
    const head = [kind];
    if (kind !== Kind.message) {
      pushNumber(head, number);
      const name = encoder.encode(connector);
      pushNumber(head, name.length);
      head.push(...name);
    }
    pushNumber(head, payload.length);
    this.#parts.push(Uint8Array.from(head), payload);
    this.#size += head.length + payload.length;
  }

  /** The whole batch. */
  finish(sender: string, sequence: number): Uint8Array {
    const head = [VERSION, sender.length, ...encoder.encode(sender)];
    pushNumber(head, sequence);
    return concat([Uint8Array.from(head), ...this.#parts]);
  }
}

/** Reads a batch, whatever the bytes are. Its payloads are parts of `bytes`. */
export function readBatch(bytes: Uint8Array): Batch | Unread {
  if (bytes.length === 0) return "unreadable";
  if (bytes[0] !== VERSION) return "unknown version";
  const reader = new Reader(bytes);
  reader.byte();
  const sender = reader.id();
  const sequence = reader.number();
  const entries: Entry[] = [];
  while (!reader.failed && !reader.ended) {
    const kind = reader.byte();
    if (kind === Kind.message) entries.push(entry(kind, { payload: reader.bytes() }));
    else {
      const number = reader.number();
      entries.push({ kind, number, connector: reader.text(), payload: reader.bytes() });
    }
  }
  return reader.failed ? "unreadable" : { sender, sequence, entries };
}

/** Reads values one after the other. Once it has failed, its values mean nothing. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    if (this.ended) return this.#fail(0);
    return this.#bytes[this.#at++];
  }

  number(): number {
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (!Number.isSafeInteger(value)) return this.#fail(0);
      if (byte < 128) return value;
    }
  }

  bytes(length = this.number()): Uint8Array {
    const end = this.#at + length;
    if (this.failed || end > this.#bytes.length) return this.#fail(EMPTY);
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  text(): string {
    const bytes = this.bytes();
    try {
      return bytes.length === 0 ? "" : decoder.decode(bytes);
    } catch {
      return this.#fail("");
    }
  }

  id(): string {
    const bytes = this.bytes(this.byte());
    const valid = bytes.length > 0 && bytes.length <= LONGEST_ID && bytes.every(isIdByte);
    return valid ? decoder.decode(bytes) : this.#fail("");
  }

  #fail<T>(value: T): T {
    this.failed = true;
    return value;
  }
}

/** `a-z` and `0-9`. */
function isIdByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
}

/** Seven bits a byte, the lowest first; all but the last have the highest bit. */
function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(rest % 128 + 128);
  bytes.push(rest);
}
