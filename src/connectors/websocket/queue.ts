/** The frames of one connection in the order in which they arrived, within its limits. */
import { Fifo } from "../../base/fifo.ts";
import type { FlowHandler } from "../../contract/connector.ts";
import { dispatch } from "../../contract/dispatch.ts";
import { TOO_MUCH_WAITS } from "../../transport/socket.ts";
import type { SocketEvent } from "./client.ts";
import { serveFrame } from "./frames.ts";
import { Limits } from "./limits.ts";
import type { ClientFrame, Refusal } from "./protocol.ts";
import type { OpenConnection } from "./registry.ts";
import type { Shared } from "./shared.ts";

/** At most this many characters of messages wait for a connection, or one message that is longer. */
const MAX_WAITING = 1024 * 1024;
/** On Bun the rest of a read still arrives after a pause: up to this much of plain messages. */
const ONE_READ = 64 * 1024;
/** One read has fewer messages than this, even of the shortest. */
const MAX_MESSAGES = 16 * 1024;
/** From this many waiting items on, a queue reports pressure. */
const HIGH_MARK = 64;

/** The queue of one connection, made with the first frame or flow that it has to serve. */
export class FrameQueue {
  readonly #shared: Shared;
  readonly #connection: OpenConnection;
  readonly #work: WorkQueue<ClientFrame | Refusal>;
  readonly #max: number;
  #limits: Limits | undefined;

  /** `pressure` is called when the connection should read no more, and when it may read again. */
  constructor(
    shared: Shared,
    connection: OpenConnection,
    pressure: (high: boolean) => void,
  ) {
    const { concurrency, max_message_size } = shared.options;
    this.#shared = shared;
    this.#connection = connection;
    this.#max = Math.max(MAX_WAITING, max_message_size);
    this.#work = new WorkQueue(
      concurrency,
      (frame) => "code" in frame ? connection.refuse(frame) : serveFrame(shared, connection, frame),
      pressure,
      // One more message of any size still fits.
      this.#max - max_message_size,
    );
  }

  /** Serves a frame in its turn, or refuses it for its form or its rate. `size` is in characters. */
  push(frame: ClientFrame | Refusal, size: number): void {
    const work = this.#work;
    work.push(this.#limit().admit(frame), size);
    // The socket cannot be paused, or one read has inflated to more.
    if (work.size > this.#max + ONE_READ || work.waiting > MAX_MESSAGES) {
      this.#connection.end(1008, TOO_MUCH_WAITS);
    }
  }

  /** Counts an error that is sent to the client. Returns the reason to close it for that, if any. */
  countError(refusal: Refusal): string | undefined {
    return this.#limit().countError(refusal);
  }

  /**
   * Runs the flows on `connect` or `disconnect` after everything before them has ended. They answer
   * no client, and they log their own failures.
   */
  runAlone(event: SocketEvent, flows: () => readonly FlowHandler[]): void {
    this.#work.pushAlone(async () => {
      try {
        await dispatch(flows(), event).all;
      } catch (error) {
        const { operation } = event;
        this.#shared.logger.error("{operation} failed: {error}", { operation, error });
      }
    });
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#work.clear();
  }

  /** Whether nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#work.isIdle;
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  #limit(): Limits {
    return this.#limits ??= new Limits(this.#shared.options.rate_limit, this.#shared.clock);
  }
}

/** Serves an item. Returns undefined where it ended at once. Must not throw or reject. */
export type Serve<Item> = (item: Item) => Promise<void> | undefined;

/** An item that waits for its turn. */
interface Waiting<Item> {
  readonly item: Item;
  readonly size: number;
}

/** A task that starts when everything before it has ended, and that everything after it waits for. */
interface Alone {
  readonly alone: () => Promise<void> | undefined;
}

/** Serves items in the order in which they were pushed. */
export class WorkQueue<Item extends object> {
  readonly #concurrency: number;
  readonly #serve: Serve<Item>;
  readonly #pressure: (high: boolean) => void;
  readonly #sizeMark: number;
  #waiting = new Fifo<Waiting<Item> | Alone>();
  #size = 0;
  #running = 0;
  #exclusive = false;
  #high = false;
  #idle: (() => void)[] = [];

  /**
   * Serves at most `concurrency` items at once. Calls `pressure(true)` when 64 items wait or their
   * sizes add up to more than `sizeMark`, and `pressure(false)` when half of that is left.
   */
  constructor(
    concurrency: number,
    serve: Serve<Item>,
    pressure: (high: boolean) => void,
    sizeMark: number = Infinity,
  ) {
    this.#concurrency = concurrency;
    this.#serve = serve;
    this.#pressure = pressure;
    this.#sizeMark = sizeMark;
  }

  /** Serves an item of this size now, or when its turn comes. */
  push(item: Item, size: number = 0): void {
    if (this.#waiting.length === 0 && this.#hasRoom(this.#concurrency)) {
      // Most items find an empty queue and need not wait.
      this.#begin(false);
      this.#watch(this.#serve(item));
      return this.#next();
    }
    this.#waiting.push({ item, size });
    this.#size += size;
    const high = this.#waiting.length >= HIGH_MARK || this.#size > this.#sizeMark;
    if (high && !this.#high) this.#setHigh(true);
  }

  /** Runs a task alone, after everything before it has ended. */
  pushAlone(task: () => Promise<void> | undefined): void {
    this.#waiting.push({ alone: task });
    this.#next();
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#waiting = new Fifo();
    this.#size = 0;
  }

  /** How many items and tasks wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The sizes of all items that wait, added up. */
  get size(): number {
    return this.#size;
  }

  /** Whether nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #next(): void {
    for (let next = this.#due(); next !== undefined; next = this.#due()) {
      this.#waiting.shift();
      if ("alone" in next) {
        this.#begin(true);
        this.#watch(next.alone());
      } else {
        this.#size -= next.size;
        this.#begin(false);
        this.#watch(this.#serve(next.item));
      }
    }
    if (this.#high && this.#isLow()) this.#setHigh(false);
    if (this.#idle.length > 0 && this.isIdle) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** The item that has waited longest, where it may start now. */
  #due(): Waiting<Item> | Alone | undefined {
    const next = this.#waiting.peek();
    if (next === undefined) return undefined;
    return this.#hasRoom("alone" in next ? 1 : this.#concurrency) ? next : undefined;
  }

  /** Whether one more may run, where at most `max` run at once. */
  #hasRoom(max: number): boolean {
    return !this.#exclusive && this.#running < max;
  }

  /** Called before the work itself, so that what the work pushes waits for its end. */
  #begin(alone: boolean): void {
    this.#running++;
    this.#exclusive = alone;
  }

  #watch(ended: Promise<void> | undefined): void {
    if (ended === undefined) this.#end();
    else ended.then(this.#endLater);
  }

  #end(): void {
    this.#running--;
    this.#exclusive = false;
  }

  readonly #endLater = (): void => {
    this.#end();
    this.#next();
  };

  #isLow(): boolean {
    return this.#waiting.length <= HIGH_MARK / 2 && this.#size <= this.#sizeMark / 2;
  }

  #setHigh(high: boolean): void {
    this.#high = high;
    this.#pressure(high);
  }
}
