/** Messages of PostgreSQL's extended query protocol, gathered for one write to the socket. */
import { Buffer } from "node:buffer";
import type { Codec } from "./codecs.ts";
import type { PostgresStatement } from "./statement.ts";

/** A statement as one connection has parsed it. */
export interface Prepared {
  /** Its name on the server. */
  readonly name: string;
  /** All of a Bind but its first five bytes and the values. */
  readonly bind: Uint8Array;
  /** How its parameters are written. */
  readonly encoders: readonly Codec["encode"][];
  /** The names of its columns; undefined where it returns no rows. */
  readonly columns: readonly string[] | undefined;
  /** How they are read; undefined for text. */
  readonly decoders: readonly Codec["decode"][];
  /** When it was parsed, in milliseconds of the monotonic clock. */
  readonly since: number;
}

/** Larger than what most batches need; what a large one has taken is given back. */
const KEPT = 256 * 1024;
/** Texts up to this length are copied by a loop, which is quicker than a call. */
const SHORT = 40;

const ALL_ROWS = Uint8Array.of(0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0);
const ONE_ROW = Uint8Array.of(0x45, 0, 0, 0, 9, 0, 0, 0, 0, 1);
const SYNC = Uint8Array.of(0x53, 0, 0, 0, 4);
/** Four bytes of ones: a length of -1. */
const NULL = Uint8Array.of(255, 255, 255, 255);
/** A count of zero. No formats means text, no types of parameters that the server finds them. */
const NONE = Uint8Array.of(0, 0);

/** Gathers messages. Used again when the server has answered them. */
export class Messages {
  #buffer = Buffer.allocUnsafe(8 * 1024);
  #length = 0;

  /** How many bytes it holds. */
  get length(): number {
    return this.#length;
  }

  /** Begins anew. */
  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > KEPT) this.#buffer = Buffer.allocUnsafe(KEPT);
  }

  /** Ends with a Sync: the server commits, and answers. The result is valid until `clear`. */
  sync(): Uint8Array {
    this.#add(SYNC);
    return this.#buffer.subarray(0, this.#length);
  }

  /** Parses a statement under a name, and asks for its parameters and columns. */
  parse(name: string, sql: string): void {
    const [named, text] = [Buffer.from(name), Buffer.from(sql)];
    this.#begin(0x50, 4 + named.length + 1 + text.length + 1 + 2);
    this.#add(named, 1);
    this.#add(text, 1);
    this.#add(NONE);
    this.#begin(0x44, 4 + 1 + named.length + 1);
    this.#byte(0x53);
    this.#add(named, 1);
  }

  /** Forgets a statement. */
  close(name: string): void {
    const named = Buffer.from(name);
    this.#begin(0x43, 4 + 1 + named.length + 1);
    this.#byte(0x53);
    this.#add(named, 1);
  }

  /**
   * Runs a statement with values.
   *
   * @throws {ValueError} A value cannot be sent. What was added before stays.
   */
  execute(statement: PostgresStatement, prepared: Prepared, values: readonly unknown[]): void {
    const start = this.#length;
    this.#begin(0x42, 0);
    this.#add(prepared.bind);
    const { encoders } = prepared;
    for (let position = 0; position < encoders.length; position++) {
      const value = values[position];
      if (value === null || value === undefined) {
        this.#add(NULL);
        continue;
      }
      let text: string;
      try {
        text = encoders[position](value);
      } catch (cause) {
        this.#length = start;
        throw statement.valueError(position, cause);
      }
      this.#text(text);
    }
    this.#add(NONE);
    this.#buffer.writeInt32BE(this.#length - start - 1, start + 1);
    // What writes returns all of its rows: the first alone would be no quicker.
    this.#add(statement.rows === "first" && !statement.shares ? ONE_ROW : ALL_ROWS);
  }

  /** A value, with its length before it. */
  #text(text: string): void {
    const size = text.length;
    this.#reserve(4 + (size > KEPT ? Buffer.byteLength(text) : 3 * size));
    const buffer = this.#buffer;
    const start = this.#length + 4;
    let end = start;
    if (size <= SHORT) {
      for (let index = 0; index < size; index++) {
        const code = text.charCodeAt(index);
        if (code > 127) {
          end = -1;
          break;
        }
        buffer[end++] = code;
      }
    }
    if (size > SHORT || end === -1) end = start + buffer.write(text, start, "utf8");
    buffer.writeInt32BE(end - start, this.#length);
    this.#length = end;
  }

  #begin(type: number, length: number): void {
    this.#reserve(5);
    this.#buffer[this.#length] = type;
    this.#buffer.writeInt32BE(length, this.#length + 1);
    this.#length += 5;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** Adds bytes, and so many zeros. */
  #add(bytes: Uint8Array, zeros = 0): void {
    this.#reserve(bytes.length + zeros);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    for (; zeros > 0; zeros--) this.#buffer[this.#length++] = 0;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** The part of a statement's Bind that is always the same. */
export function bindOf(name: string, parameters: number): Uint8Array {
  // The unnamed portal; no formats, which means text; the number of values.
  return Buffer.from([0, ...Buffer.from(name), 0, 0, 0, parameters >> 8, parameters & 255]);
}
