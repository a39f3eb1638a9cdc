/** The workers' link as the backplane of one of them. No I/O of its own. */
import { type Clock, systemClock } from "../../base/clock.ts";
import { isLongerThan } from "../../base/text.ts";
import {
  type Appended,
  type Backplane,
  type BackplaneCapabilities,
  BackplaneError,
  type BackplaneHistory,
  type BackplaneListener,
  type Entries,
} from "../../contract/backplane.ts";
import {
  decodeList,
  decodeMessage,
  encodeEmpty,
  encodeList,
  encodeMessage,
  FrameError,
  FrameReader,
  Kind,
  kindOf,
  MAX_FRAME,
} from "./frames.ts";
import {
  decodeAppended,
  decodeEntries,
  decodeKept,
  encodeAppend,
  encodeRead,
} from "./kept-frames.ts";
import { Pending } from "./pending.ts";
import { type Pipe, SendQueue } from "./queue.ts";
import { Requests } from "./requests.ts";

/** What a connection to the supervisor tells of. */
export interface PipeListener {
  /** Bytes have arrived. */
  read(chunk: Uint8Array): void;
  /** It is closed, with the reason. Nothing more arrives. */
  end(reason: string): void;
}

/** What a link is made with. */
export interface WorkerLinkOptions {
  /** Connects to the supervisor's hub. Rejects where it cannot be reached. */
  connect(listener: PipeListener): Promise<Pipe>;
  readonly clock?: Clock;
}

/** Above this many bytes that the supervisor has not read, nothing is published. A topic has room, too. */
const MAX_UNSENT = MAX_FRAME - 2_000;
/** The longest topic, in bytes. */
const MAX_TOPIC = 1_000;
/** How long a publish and a subscription may take, in milliseconds. */
const PATIENCE = 2_000;

/** What all await that have nothing to wait for. */
const DONE: Promise<void> = Promise.resolve();

/**
 * Links a worker to the others by its supervisor. It has no `keys`: locks, the keys of `dedupe`, slots,
 * the leader and the progress of schedules stay in the coordinator, which all workers of one machine
 * share anyway.
 */
export class WorkerLink implements Backplane {
  readonly capabilities: BackplaneCapabilities = {
    echoes: false,
    order: "all",
    live: "reply",
    members: true,
  };
  /** The supervisor keeps the messages. */
  readonly history: BackplaneHistory;
  readonly #appends: Requests<Appended>;
  readonly #reads: Requests<Entries>;
  readonly #connect: WorkerLinkOptions["connect"];
  readonly #pending: Pending;
  readonly #reader = new FrameReader();
  readonly #opened = Promise.withResolvers<void>();
  readonly #disconnected = Promise.withResolvers<void>();
  /** The topics that nobody else listens to. The supervisor bounds their number. */
  readonly #unheard = new Set<string>();
  #listener: BackplaneListener | undefined;
  #pipe: Pipe | undefined;
  #queue: SendQueue | undefined;
  #reason: string | undefined = "is not connected";
  #ended = false;

  /** Connects when it is opened. */
  constructor({ connect, clock = systemClock }: WorkerLinkOptions) {
    this.#connect = connect;
    this.#pending = new Pending(clock, PATIENCE);
    this.#appends = new Requests(clock, PATIENCE, true);
    this.#reads = new Requests(clock, PATIENCE, false);
    this.history = {
      append: (topic, messages, keep) => {
        const size = messages.reduce((sum, { message }) => sum + message.length, 0);
        return this.#ask(
          this.#appends,
          topic,
          size,
          (number) => encodeAppend({ number, topic, messages, keep }),
        );
      },
      read: (topic, _keep, question) =>
        this.#ask(this.#reads, topic, 0, (number) => encodeRead({ number, topic, question })),
    };
  }

  async open(listener: BackplaneListener): Promise<void> {
    if (this.#ended) return;
    this.#listener = listener;
    const pipe = await this.#connect({
      read: (chunk) => this.#read(chunk),
      end: (reason) => {
        this.#end(reason);
        this.#disconnected.resolve();
      },
    });
    if (this.#listener === undefined) return pipe.close();
    this.#pipe = pipe;
    this.#queue = new SendQueue(pipe);
    this.#queue.push(encodeEmpty(Kind.open));
    await this.#pending.atMost(this.#opened.promise);
  }

  publish(topic: string, message: Uint8Array): Promise<void> {
    if (this.#unheard.has(topic)) return DONE;
    const why = this.#unable([topic], message.length);
    if (why !== undefined) return Promise.reject(new BackplaneError(`cannot publish: ${why}`));
    this.#queue?.push(encodeMessage(topic, message));
    return this.#pending.publish();
  }

  subscribe(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return DONE;
    const why = this.#unable(topics, 0);
    if (why !== undefined) return Promise.reject(new BackplaneError(`cannot subscribe: ${why}`));
    const { number, answered } = this.#pending.subscribe(() => this.unsubscribe(topics));
    this.#queue?.push(encodeList(Kind.subscribe, number, topics));
    return answered;
  }

  unsubscribe(topics: readonly string[]): void {
    if (this.#reason === undefined) this.#queue?.push(encodeList(Kind.unsubscribe, 0, topics));
  }

  heard(topic: string): boolean {
    return !this.#unheard.has(topic);
  }

  health(): string | undefined {
    return this.#reason;
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    const [queue, pipe] = [this.#queue, this.#pipe];
    if (queue === undefined || pipe === undefined) return this.#end("is closed");
    if (this.#reason === undefined) queue.push(encodeEmpty(Kind.close));
    this.#end("is closed");
    // The supervisor hangs up. If this side did, a write of the other one could fail before it reads that.
    await this.#pending.atMost(this.#disconnected.promise);
    pipe.close();
  }

  #ask<Answer>(
    requests: Requests<Answer>,
    topic: string,
    size: number,
    encode: (number: number) => Uint8Array,
  ): Promise<Answer> {
    const why = this.#unable([topic], size);
    if (why !== undefined) return Promise.reject(new BackplaneError(`cannot ask: ${why}`));
    return requests.ask((number) => this.#queue?.push(encode(number)));
  }

  /** Why nothing with these topics and a message of this size can be sent now. */
  #unable(topics: readonly string[], size: number): string | undefined {
    if (this.#reason !== undefined) return `the link ${this.#reason}`;
    if (topics.some((topic) => isLongerThan(topic, MAX_TOPIC))) {
      return `a topic is longer than ${MAX_TOPIC} bytes`;
    }
    const { bytes } = this.#queue as SendQueue;
    if (bytes + size <= MAX_UNSENT) return undefined;
    return `${bytes} bytes wait for the supervisor, and ${size} more are too many`;
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#reader.read(chunk, (frame) => this.#take(frame));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#pipe?.close();
      this.#end(`has lost its place: ${error.message}`);
    }
  }

  #take(frame: Uint8Array): void {
    if (this.#ended) return;
    const kind = kindOf(frame);
    switch (kind) {
      case Kind.message:
        return this.#listener?.message(...decodeMessage(frame));
      case Kind.taken:
        return this.#pending.taken(decodeList(frame)[0]);
      case Kind.subscribed:
        return this.#pending.subscribed(decodeList(frame)[0]);
      case Kind.members:
        return this.#members(decodeList(frame)[1]);
      case Kind.unheard:
        for (const topic of decodeList(frame)[1]) this.#unheard.add(topic);
        return;
      case Kind.withdraw: {
        const [number, topics] = decodeList(frame);
        for (const topic of topics) this.#unheard.delete(topic);
        this.#queue?.push(encodeList(Kind.confirm, number));
        return;
      }
      case Kind.appended:
        return this.#appends.answered(...decodeAppended(frame));
      case Kind.entries:
        return this.#reads.answered(...decodeEntries(frame));
      case Kind.kept: {
        const { topic, at, messages } = decodeKept(frame);
        return this.#listener?.kept?.(topic, at, messages);
      }
      case Kind.gap: {
        const [count] = decodeList(frame);
        this.#listener?.down(`this worker did not read in time, and has missed ${count} messages`);
        return this.#listener?.up();
      }
      default:
        throw new FrameError(`the supervisor sends no frame of kind ${kind}`);
    }
  }

  #members(ids: readonly string[]): void {
    const isFirst = this.#reason !== undefined;
    this.#reason = undefined;
    if (isFirst) this.#listener?.up();
    this.#listener?.members(ids);
    this.#opened.resolve();
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const wasUp = this.#reason === undefined;
    this.#reason = reason;
    this.#unheard.clear();
    this.#pending.end(reason);
    this.#appends.end(reason);
    this.#reads.end(reason);
    this.#opened.resolve();
    if (wasUp) this.#listener?.down(reason);
  }
}
