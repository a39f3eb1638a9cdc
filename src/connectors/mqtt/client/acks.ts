/**
 * Which messages the broker waits for. MQTT wants acknowledgments in the order of the messages, so one
 * that was handled waits for those before it.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { Fifo } from "../../../base/fifo.ts";

const PUBACK = 0x40;
const PUBREC = 0x50;

/** Where acknowledgments are written. */
export interface AckWriter {
  write(bytes: Uint8Array): unknown;
}

/** A message with QoS 1 or 2. */
export interface Numbered {
  readonly id: number;
  readonly qos: 1 | 2;
  /** Whether the broker has sent it before. */
  readonly dup: boolean;
}

interface Unacked extends Numbered {
  /** The connection that it came by last. */
  connection: number;
  handled: boolean;
}

/**
 * The messages of one session. With QoS 2 the broker hears that a message has come when it has been
 * handled, and not before: a process that ends meanwhile gets it again.
 */
export class Acks {
  readonly #changed: () => void;
  #unacked = new Fifo<Unacked>();
  readonly #byId = new Map<number, Unacked>();
  /** Messages of QoS 2 that were handled; the broker may send them again until it has released them. */
  readonly #unreleased = new Set<number>();
  #writer: AckWriter | undefined;
  #connection = 0;
  #flushing = false;

  /** `changed` is called after acknowledgments were written. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** How many messages of this connection the broker waits for. */
  get open(): number {
    return this.#unacked.length;
  }

  /** There is a new connection. Unless the session was `resumed`, the broker has forgotten all. */
  begin(writer: AckWriter, resumed: boolean): void {
    this.#connection++;
    this.#writer = writer;
    this.#unacked = new Fifo();
    if (resumed) return;
    this.#byId.clear();
    this.#unreleased.clear();
  }

  /** The connection is lost. */
  lost(): void {
    this.#writer = undefined;
  }

  /**
   * Takes note of a message. Returns what is to be called when it has been handled; undefined where it
   * was handled before, or is being handled.
   */
  take(message: Numbered): (() => void) | undefined {
    const { id, qos, dup } = message;
    if (qos === 2 && this.#unreleased.has(id)) {
      this.#add({ ...message, connection: this.#connection, handled: true });
      return undefined;
    }
    const known = this.#byId.get(id);
    if (known !== undefined && dup) {
      if (known.connection !== this.#connection) {
        known.connection = this.#connection;
        this.#add(known);
      }
      return undefined;
    }
    const unacked = { ...message, connection: this.#connection, handled: false };
    this.#byId.set(id, unacked);
    this.#add(unacked);
    return () => {
      unacked.handled = true;
      this.#flushSoon();
    };
  }

  /** The broker will not send a message of QoS 2 again. */
  released(id: number): void {
    this.#unreleased.delete(id);
  }

  /** Writes the acknowledgments that are due. */
  flush(): void {
    const bytes: number[] = [];
    for (let next = this.#unacked.peek(); next?.handled; next = this.#unacked.peek()) {
      const { id, qos } = next;
      this.#unacked.shift();
      if (this.#byId.get(id) === next) this.#byId.delete(id);
      if (qos === 2) this.#unreleased.add(id);
      bytes.push(qos === 1 ? PUBACK : PUBREC, 2, id >> 8, id & 0xff);
    }
    if (bytes.length === 0) return;
    this.#writer?.write(Buffer.from(bytes));
    this.#changed();
  }

  #add(message: Unacked): void {
    this.#unacked.push(message);
    if (message.handled) this.#flushSoon();
  }

  /** One write for all that are handled in a turn. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      // Without a connection they wait until the broker sends the messages again.
      if (this.#writer !== undefined) this.flush();
    });
  }
}
