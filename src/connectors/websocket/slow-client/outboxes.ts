/** Makes the outboxes of one connector, and its messages as their policy wants them. */
import type { Clock } from "../../../base/clock.ts";
import { ConnectorError } from "../../../base/errors.ts";
import { Frame } from "../../../transport/frame.ts";
import { type Flusher, Outbox, type OutboxOwner } from "../outbox.ts";
import { messageFrame } from "../protocol.ts";
import type { Peer } from "../../../transport/socket.ts";
import type { Counters } from "../counters.ts";
import type { Backlog } from "./backlog.ts";
import { CoalescingBacklog } from "./coalesce.ts";
import { DropOldestBacklog } from "./drop-oldest.ts";
import type { SlowClientOptions } from "./fields.ts";
import { HoldingSink } from "./holding-sink.ts";
import { type KeyContext, keyOf, MessageFrame } from "./message.ts";
import { Polling } from "./polling.ts";

/** What outboxes need of their connector. */
export interface OutboxContext {
  /** The connector's name. */
  readonly name: string;
  readonly flusher: Flusher;
  readonly counters: Counters;
  readonly clock: Clock;
}

/** The outboxes of a connector. Their policy is the same for all. */
export class Outboxes {
  /** Bytes that may wait for one connection, and that one frame to it may have. */
  readonly limit: number;
  readonly #options: SlowClientOptions;
  readonly #context: OutboxContext;
  readonly #polling: Polling<HoldingSink>;
  readonly #onLost: (frames: number) => void;

  /** Makes none yet. */
  constructor(options: SlowClientOptions, context: OutboxContext) {
    this.limit = options.queue;
    this.#options = options;
    this.#context = context;
    this.#polling = new Polling(context.clock);
    this.#onLost = (frames) => context.counters.add("undelivered", frames);
  }

  /** An outbox for a connection. */
  create(peer: Peer, owner: OutboxOwner): Outbox {
    const { flusher } = this.#context;
    const backlog = this.#backlog();
    if (backlog === undefined) {
      return new Outbox(flusher, peer, this.limit, owner, this.#onLost);
    }
    const sink = new HoldingSink({
      peer,
      limit: this.limit,
      backlog,
      polling: this.#polling,
      owner,
      onLost: this.#onLost,
    });
    return new HoldingOutbox(flusher, sink, this.limit, owner, this.#onLost);
  }

  /**
   * A message to clients, so marked that the policy can leave it out.
   *
   * @throws {ConnectorError} It is no JSON, or larger than a queue.
   * @throws {ExpressionError} The `key` fails: no client is sent anything.
   */
  message(context: KeyContext): Frame {
    const frame = this.#encode(context);
    const { policy, key } = this.#options;
    if (policy === "disconnect") return frame;
    return new MessageFrame(frame, key && keyOf(key, context));
  }

  /** A message that another worker of the service has made. */
  passedOn(text: string, key: string | undefined): Frame {
    const frame = new Frame(text);
    return this.#options.policy === "disconnect" ? frame : new MessageFrame(frame, key);
  }

  #encode({ payload, room }: KeyContext): Frame {
    const { name } = this.#context;
    let frame: Frame;
    try {
      frame = messageFrame(payload, room);
    } catch (cause) {
      const message = "the payload cannot be written as JSON";
      throw new ConnectorError(name, message, { cause, permanent: true });
    }
    if (frame.size <= this.limit) return frame;
    const message = `a message of ${frame.size} bytes is larger than a client's queue`;
    throw new ConnectorError(name, message, { permanent: true });
  }

  #backlog(): Backlog | undefined {
    const { counters } = this.#context;
    switch (this.#options.policy) {
      case "disconnect":
        return undefined;
      case "drop_oldest":
        return new DropOldestBacklog(() => counters.add("dropped"));
      case "coalesce":
        return new CoalescingBacklog(() => counters.add("coalesced"));
    }
  }
}

/** An outbox whose sink keeps frames, too. */
class HoldingOutbox extends Outbox {
  readonly #sink: HoldingSink;

  constructor(
    flusher: Flusher,
    sink: HoldingSink,
    limit: number,
    owner: OutboxOwner,
    onLost: (frames: number) => void,
  ) {
    super(flusher, sink, limit, owner, onLost);
    this.#sink = sink;
  }

  override close(): void {
    super.close();
    this.#sink.handOver();
  }

  override discard(): void {
    super.discard();
    this.#sink.discard();
  }
}
