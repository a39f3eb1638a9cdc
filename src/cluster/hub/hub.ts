/** The supervisor's side of the workers' link: hands each message to the workers that listen to it. No I/O. */
import type { Clock } from "../../base/clock.ts";
import { randomId } from "../../base/ids.ts";
import { KeptMessages } from "../../base/kept-messages.ts";
import {
  compact,
  decodeList,
  decodeMessage,
  encodeList,
  FrameError,
  FrameReader,
  Kind,
  kindOf,
} from "./frames.ts";
import {
  type AppendFrame,
  decodeAppend,
  decodeRead,
  encodeAppended,
  encodeEntries,
  encodeKept,
  type ReadFrame,
} from "./kept-frames.ts";
import { Outlet } from "./outlet.ts";
import type { Pipe } from "./queue.ts";
import { Unheard } from "./unheard.ts";

/** What a hub is made with. */
export interface LinkHubOptions {
  readonly clock: Clock;
  /** Called when messages for an instance begin to be left out, since it does not read them. */
  onLost(instance: string): void;
}

/** One worker's end of the hub. */
export interface HubPort {
  /**
   * Takes what has arrived from the worker.
   *
   * @throws {FrameError} It is not a frame of this link: the worker must be ended.
   */
  read(chunk: Uint8Array): void;
  /** Whether it is an instance: it has said so, and has neither closed its link nor ended. */
  readonly isOpen: boolean;
  /** Removes the worker, whose pipe is closed. May be called again. */
  end(): void;
}

/** All workers that are linked. */
export class LinkHub {
  readonly #options: LinkHubOptions;
  /** Those that are open, oldest first. */
  readonly #members = new Set<Port>();
  /** Most topics have one listener, so a list takes the least memory. */
  readonly #listeners = new Map<string, readonly Port[]>();
  /** What workers have added to topics: it outlives them. */
  readonly #kept: KeptMessages<Uint8Array>;

  /** Begins without workers. */
  constructor(options: LinkHubOptions) {
    this.#options = options;
    const isUsed = (topic: string) => this.#listeners.has(topic);
    this.#kept = new KeptMessages(options.clock, randomId().replaceAll("-", ""), isUsed);
  }

  /** Keeps no messages any more. */
  end(): void {
    this.#kept.close();
  }

  /** Keeps messages, and hands them to all that listen. */
  append(from: Port, { number, topic, keep, messages }: AppendFrame): void {
    const { epoch } = this.#kept;
    const added: Uint8Array[] = [];
    const offsets = messages.map(({ message, id }) => {
      // A part of what was read would keep all of that in memory.
      const own = message.slice();
      const offset = this.#kept.append(topic, own, keep, id);
      if (offset !== undefined) added.push(own);
      return offset;
    });
    const first = offsets.find((offset) => offset !== undefined);
    if (first !== undefined) {
      const frame = encodeKept({ topic, at: { epoch, offset: first }, messages: added });
      for (const port of this.#listeners.get(topic) ?? []) port.outlet.message(frame);
    }
    from.outlet.control(encodeAppended(number, { epoch, offsets }));
  }

  /** Answers what a worker asks about kept messages. */
  read(from: Port, { number, topic, question }: ReadFrame): void {
    const newest = { epoch: this.#kept.epoch, offset: this.#kept.offset(topic) };
    const messages = typeof question === "number"
      ? this.#kept.newest(topic, question)
      : this.#kept.after(topic, question);
    from.outlet.control(encodeEntries(number, { newest, messages }));
  }

  /** Adds the worker with this id, to which `pipe` leads. It is an instance when it says so. */
  connect(instance: string, pipe: Pipe): HubPort {
    const { clock, onLost } = this.#options;
    return new Port(instance, this, pipe, clock, () => onLost(instance));
  }

  /** The number of topics that somebody listens to. */
  get topics(): number {
    return this.#listeners.size;
  }

  /** Makes a worker an instance. */
  open(port: Port): void {
    this.#members.add(port);
    this.#tellMembers();
  }

  /** Removes an instance: it hears and is asked nothing any more. */
  close(port: Port): void {
    if (!this.#members.delete(port)) return;
    this.#tellMembers();
    for (const other of this.#members) other.forget(port);
  }

  /** Hands a message to all others that listen. */
  route(from: Port, topic: string, frame: Uint8Array): void {
    let kept: Uint8Array | undefined;
    for (const port of this.#listeners.get(topic) ?? []) {
      if (port === from) continue;
      kept ??= compact(frame);
      port.outlet.message(kept);
      if (port.outlet.behind) from.awaits(port);
    }
    if (kept === undefined) from.unheard.tell(topic);
  }

  /**
   * Hands the messages to topics to a worker from now on. Resolves when every other one knows that
   * these are heard; undefined where that is so now.
   */
  listen(port: Port, topics: readonly string[]): Promise<unknown> | undefined {
    for (const topic of topics) {
      const listeners = this.#listeners.get(topic) ?? [];
      if (!listeners.includes(port)) this.#listeners.set(topic, [...listeners, port]);
    }
    const withdrawals = [...this.#members].flatMap((other) =>
      other === port ? [] : other.unheard.withdraw(topics)
    );
    return withdrawals.length === 0 ? undefined : Promise.all(withdrawals);
  }

  /** Ends what `listen` has begun. */
  unlisten(port: Port, topics: Iterable<string>): void {
    for (const topic of topics) {
      const listeners = (this.#listeners.get(topic) ?? []).filter((other) => other !== port);
      if (listeners.length === 0) this.#listeners.delete(topic);
      else this.#listeners.set(topic, listeners);
    }
  }

  /** Calls back all that wait for a worker. */
  release(port: Port): void {
    for (const other of this.#members) other.forget(port);
  }

  #tellMembers(): void {
    const frame = encodeList(Kind.members, 0, [...this.#members].map(({ instance }) => instance));
    for (const { outlet } of this.#members) outlet.control(frame);
  }
}

/** One worker. */
class Port implements HubPort {
  readonly instance: string;
  readonly outlet: Outlet;
  readonly unheard: Unheard;
  readonly #hub: LinkHub;
  readonly #pipe: Pipe;
  readonly #reader = new FrameReader();
  readonly #topics = new Set<string>();
  /** The workers for which its latest messages wait. */
  readonly #awaited = new Set<Port>();
  /** How many messages it has not been told to be taken. */
  #taken = 0;
  #state: "new" | "open" | "closed" = "new";
  #ended = false;

  constructor(instance: string, hub: LinkHub, pipe: Pipe, clock: Clock, onLost: () => void) {
    this.instance = instance;
    this.#hub = hub;
    this.#pipe = pipe;
    this.outlet = new Outlet(pipe, clock, onLost, () => hub.release(this));
    this.unheard = new Unheard((frame) => this.outlet.control(frame));
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  read(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#reader.read(chunk, (frame) => this.#take(frame));
    this.#acknowledge();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave();
    this.outlet.end();
    this.#pipe.close();
  }

  /** Its messages are taken only when another worker is no longer behind. */
  awaits(port: Port): void {
    this.#awaited.add(port);
  }

  /** It does not wait for another worker any more. */
  forget(port: Port): void {
    if (this.#awaited.delete(port)) this.#acknowledge();
  }

  #leave(): void {
    this.#state = "closed";
    this.#hub.unlisten(this, this.#topics);
    this.#topics.clear();
    this.unheard.clear();
    this.#hub.close(this);
  }

  #take(frame: Uint8Array): void {
    const kind = kindOf(frame);
    // Only an instance is told of withdrawals.
    if (this.isOpen === (kind === Kind.open)) {
      throw new FrameError(`unexpected frame of kind ${kind}`);
    }
    switch (kind) {
      case Kind.message:
        this.#taken++;
        return this.#hub.route(this, decodeMessage(frame)[0], frame);
      case Kind.open:
        this.#state = "open";
        return this.#hub.open(this);
      case Kind.close:
        this.#leave();
        return this.#pipe.close();
      case Kind.subscribe:
        return this.#subscribe(...decodeList(frame));
      case Kind.unsubscribe: {
        const [, topics] = decodeList(frame);
        for (const topic of topics) this.#topics.delete(topic);
        return this.#hub.unlisten(this, topics);
      }
      case Kind.append:
        return this.#hub.append(this, decodeAppend(frame));
      case Kind.read:
        return this.#hub.read(this, decodeRead(frame));
      case Kind.confirm:
        return this.unheard.confirm(decodeList(frame)[0]);
      default:
        throw new FrameError(`a worker sends no frame of kind ${kind}`);
    }
  }

  #subscribe(number: number, topics: readonly string[]): void {
    for (const topic of topics) this.#topics.add(topic);
    const answer = (): void => this.outlet.control(encodeList(Kind.subscribed, number));
    const waiting = this.#hub.listen(this, topics);
    if (waiting === undefined) answer();
    else void waiting.then(answer);
  }

  #acknowledge(): void {
    if (this.#taken === 0 || this.#awaited.size > 0 || !this.isOpen) return;
    this.outlet.control(encodeList(Kind.taken, this.#taken));
    this.#taken = 0;
  }
}
