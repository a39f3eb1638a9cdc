/** Makes the outboxes and the messages of one connector, as its `slow_client` says. */
import type { Clock } from "../../../base/clock.ts";
import { ConnectorError } from "../../../base/errors.ts";
import { Frame } from "../../../transport/frame.ts";
import { type Flusher, Outbox, type Recipient } from "../outbox.ts";
import { messageFrame } from "../protocol.ts";
import type { OutboxListener } from "../sink.ts";
import type { Traffic } from "../traffic.ts";
import type { Peer } from "../../../transport/socket.ts";
import type { Counters } from "../counters.ts";
import { type Backlog, CoalescingBacklog, DropOldestBacklog } from "./backlog.ts";
import type { SlowClientOptions } from "./fields.ts";
import { HoldingSink, Polling } from "./holding-sink.ts";
import { type KeyContext, keyOf, MessageFrame } from "./message.ts";

/** The parts of the connector that outboxes use. */
export interface OutboxContext {
  /** The connector's name. */
  readonly name: string;
  readonly flusher: Flusher;
  readonly counters: Counters;
  /** Counts what is sent. */
  readonly traffic: Traffic;
  readonly clock: Clock;
}

/** The outboxes of a connector, which all have the same policy. */
export class Outboxes {
  /** Bytes that may wait for one connection, and the largest size of one frame. */
  readonly limit: number;
  readonly #options: SlowClientOptions;
  readonly #context: OutboxContext;
  readonly #polling: Polling;
  readonly #onLost: (frames: number) => void;

  /** Makes no outbox yet. */
  constructor(options: SlowClientOptions, context: OutboxContext) {
    this.limit = options.queue;
    this.#options = options;
    this.#context = context;
    this.#polling = new Polling(context.clock);
    this.#onLost = (frames) => context.counters.add("undelivered", frames);
  }

  /** Whether a client is closed for which more waits than that; otherwise messages are left out. */
  get disconnects(): boolean {
    return this.#options.policy === "disconnect";
  }

  /** An outbox for a connection, which `wants` to be told of the rooms whose messages it misses. */
  create(
    peer: Peer,
    listener: OutboxListener,
    wants: (room: string) => boolean = () => false,
  ): Outbox {
    const { flusher, traffic } = this.#context;
    const backlog = this.#backlog(wants);
    if (backlog === undefined) {
      return new Outbox(flusher, peer, this.limit, listener, this.#onLost, traffic);
    }
    const sink = new HoldingSink({
      peer,
      limit: this.limit,
      backlog,
      polling: this.#polling,
      listener,
      traffic,
      onLost: this.#onLost,
    });
    return new HoldingOutbox(flusher, sink, this.limit, listener, this.#onLost);
  }

  /**
   * Queues a frame for all members of a group at once. Returns false where it must be sent to each of
   * them.
   */
  broadcast(frame: Frame, group: ReadonlySet<Recipient>): boolean {
    if (!this.disconnects) return false;
    return this.#context.flusher.broadcast(frame, group, this.limit);
  }

  /**
   * A message to clients, marked so that the policy can drop it.
   *
   * @throws {ConnectorError} The payload is not JSON, or the message is larger than a queue.
   * @throws {ExpressionError} The `key` failed.
   */
  message(context: KeyContext): Frame {
    const frame = this.#encode(context);
    const { policy, key } = this.#options;
    if (policy === "disconnect") return frame;
    return new MessageFrame(frame, key && keyOf(key, context), context.keptIn);
  }

  /** A message as an instance has sent it, or as it is kept in the history of a room. */
  relayed(text: string, key: string | undefined, keptIn?: string): Frame {
    const frame = new Frame(text);
    return this.disconnects ? frame : new MessageFrame(frame, key, keptIn);
  }

  #encode({ payload, room, type }: KeyContext): Frame {
    const { name } = this.#context;
    let frame: Frame;
    try {
      frame = messageFrame(payload, room, type);
    } catch (cause) {
      const message = "the payload cannot be written as JSON";
      throw new ConnectorError(name, message, { cause, permanent: true });
    }
    if (frame.size <= this.limit) return frame;
    const message = `a message of ${frame.size} bytes is larger than a client's queue`;
    throw new ConnectorError(name, message, { permanent: true });
  }

  #backlog(wants: (room: string) => boolean): Backlog | undefined {
    const { counters } = this.#context;
    switch (this.#options.policy) {
      case "disconnect":
        return undefined;
      case "drop_oldest":
        return new DropOldestBacklog(() => counters.add("dropped"), wants);
      case "coalesce":
        return new CoalescingBacklog(() => counters.add("coalesced"), wants);
    }
  }
}

/** An outbox whose sink holds frames, too. */
class HoldingOutbox extends Outbox {
  readonly #sink: HoldingSink;

  constructor(
    flusher: Flusher,
    sink: HoldingSink,
    limit: number,
    listener: OutboxListener,
    onLost: (frames: number) => void,
  ) {
    super(flusher, sink, limit, listener, onLost);
    this.#sink = sink;
  }

  override flush(): void {
    super.flush();
    this.#sink.flush();
  }

  override close(): void {
    super.close();
    this.#sink.writeAll();
  }

  override discard(): void {
    super.discard();
    this.#sink.discard();
  }
}
