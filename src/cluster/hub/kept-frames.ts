/** The frames of the link about messages that the supervisor keeps. What comes in is checked. No I/O. */
import { concat } from "../../base/bytes.ts";
import type { Appended, Appending, Entries, Keep, Position } from "../../contract/backplane.ts";
import { FrameError, HEAD, Kind } from "./frames.ts";

/** Messages that a worker adds to a topic. */
export interface AppendFrame {
  readonly number: number;
  readonly topic: string;
  readonly keep: Keep;
  readonly messages: readonly Appending[];
}

/** What a worker asks about a topic. */
export interface ReadFrame {
  readonly number: number;
  readonly topic: string;
  readonly question: Position | number;
}

/** Messages that have been added to a topic; the first one is at `at`. */
export interface KeptFrame {
  readonly topic: string;
  readonly at: Position;
  readonly messages: readonly Uint8Array[];
}

const encoder = new TextEncoder();
/** A text may begin with a byte order mark. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Encodes messages that are added. */
export function encodeAppend({ number, topic, keep, messages }: AppendFrame): Uint8Array {
  const writer = new Writer().number(number).text(topic).number(keep.size).number(keep.ttl);
  for (const { message, id } of messages) {
    writer.number(id === undefined ? 0 : 1).text(id ?? "").bytes(message);
  }
  return writer.frame(Kind.append);
}

/**
 * Decodes messages that are added.
 *
 * @throws {FrameError} It is not such a frame. All functions that decode throw it.
 */
export function decodeAppend(frame: Uint8Array): AppendFrame {
  const reader = new Reader(frame);
  const [number, topic] = [reader.whole(), reader.text()];
  const keep = { size: reader.whole(), ttl: reader.number() };
  const messages: Appending[] = [];
  while (!reader.ended) {
    const hasId = reader.whole() === 1;
    const id = reader.text();
    messages.push({ message: reader.bytes(), id: hasId ? id : undefined });
  }
  if (keep.size < 1 || !(keep.ttl >= 0)) throw new FrameError("a frame keeps nothing");
  return { number, topic, keep, messages };
}

/** Encodes what has become of messages. */
export function encodeAppended(number: number, { epoch, offsets }: Appended): Uint8Array {
  const writer = new Writer().number(number).text(epoch);
  for (const offset of offsets) writer.number(offset ?? 0);
  return writer.frame(Kind.appended);
}

/** Decodes what has become of messages. */
export function decodeAppended(frame: Uint8Array): readonly [number: number, appended: Appended] {
  const reader = new Reader(frame);
  const [number, epoch] = [reader.whole(), reader.text()];
  const offsets: (number | undefined)[] = [];
  while (!reader.ended) offsets.push(reader.whole() || undefined);
  return [number, { epoch, offsets }];
}

/** Encodes messages that have been added. */
export function encodeKept({ topic, at, messages }: KeptFrame): Uint8Array {
  const writer = new Writer().text(topic).text(at.epoch).number(at.offset);
  for (const message of messages) writer.bytes(message);
  return writer.frame(Kind.kept);
}

/** Decodes messages that have been added. */
export function decodeKept(frame: Uint8Array): KeptFrame {
  const reader = new Reader(frame);
  const topic = reader.text();
  const at = { epoch: reader.text(), offset: reader.whole() };
  return { topic, at, messages: reader.rest() };
}

/** Encodes a question. */
export function encodeRead({ number, topic, question }: ReadFrame): Uint8Array {
  const writer = new Writer().number(number).text(topic);
  const isLimit = typeof question === "number";
  writer.number(isLimit ? 1 : 0).text(isLimit ? "" : question.epoch);
  return writer.number(isLimit ? question : question.offset).frame(Kind.read);
}

/** Decodes a question. */
export function decodeRead(frame: Uint8Array): ReadFrame {
  const reader = new Reader(frame);
  const [number, topic] = [reader.whole(), reader.text()];
  const isLimit = reader.whole() === 1;
  const [epoch, value] = [reader.text(), reader.whole()];
  return { number, topic, question: isLimit ? value : { epoch, offset: value } };
}

/** Encodes an answer. */
export function encodeEntries(number: number, { newest, messages }: Entries): Uint8Array {
  const writer = new Writer().number(number).text(newest.epoch).number(newest.offset);
  writer.number(messages === undefined ? 0 : 1);
  for (const message of messages ?? []) writer.bytes(message);
  return writer.frame(Kind.entries);
}

/** Decodes an answer. */
export function decodeEntries(frame: Uint8Array): readonly [number: number, entries: Entries] {
  const reader = new Reader(frame);
  const number = reader.whole();
  const newest = { epoch: reader.text(), offset: reader.whole() };
  const isWhole = reader.whole() === 1;
  const messages = reader.rest();
  return [number, { newest, messages: isWhole ? messages : undefined }];
}

/** Writes values one after the other. A message is copied once, when the frame is finished. */
class Writer {
  readonly #parts: Uint8Array[] = [];

  number(value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    this.#parts.push(bytes);
    return this;
  }

  text(value: string): this {
    return this.bytes(encoder.encode(value));
  }

  bytes(value: Uint8Array): this {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, value.length);
    this.#parts.push(length, value);
    return this;
  }

  frame(kind: number): Uint8Array {
    const size = this.#parts.reduce((sum, { length }) => sum + length, 0);
    const head = new Uint8Array(HEAD);
    new DataView(head.buffer).setUint32(0, size + 1);
    head[4] = kind;
    return concat([head, ...this.#parts]);
  }
}

/** Reads them. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = HEAD;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): number {
    const at = this.#skip(8);
    return this.#view.getFloat64(at);
  }

  /** A number without a fraction or a sign. */
  whole(): number {
    const value = this.number();
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new FrameError("a frame has a number of the wrong kind");
  }

  bytes(): Uint8Array {
    const length = this.#view.getUint32(this.#skip(4));
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    try {
      return decoder.decode(this.bytes());
    } catch (cause) {
      if (cause instanceof FrameError) throw cause;
      throw new FrameError("a text of a frame is not UTF-8", { cause });
    }
  }

  rest(): readonly Uint8Array[] {
    const all: Uint8Array[] = [];
    while (!this.ended) all.push(this.bytes());
    return all;
  }

  #skip(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new FrameError("a frame is too short");
    this.#at += length;
    return at;
  }
}
