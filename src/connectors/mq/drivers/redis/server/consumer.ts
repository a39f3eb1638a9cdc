/** Reads the streams of one connector with a consumer group, whatever happens to the connections. */
import type { Buffer } from "node:buffer";
import { endOfTick } from "../../../../../base/clock.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import type { BrokerContext, Deliver } from "../../../../../messaging/mod.ts";
import type { Settings } from "../settings.ts";
import { BYTES, PATIENCE } from "./client.ts";
import { StreamDelivery } from "./delivery.ts";
import type { RawEntry } from "./entry.ts";
import { describe, isGroupGone } from "./errors.ts";
import { Groups } from "./groups.ts";
import { Link, type LinkOptions } from "./link.ts";
import { leave, type MembersContext, removeGone } from "./members.ts";
import { Places } from "./places.ts";
import { type Holding, type Read, Stream } from "./stream.ts";
import { Waiting } from "./waiting.ts";

/** Milliseconds that the server waits for an entry before it answers that there is none. */
const BLOCK = 500;

/** Milliseconds between two attempts to read after a failure. */
const PAUSE = 1000;

/** How many entries wait for their next delivery before no more are read. */
const MOST_WAITING = 10_000;

/** Milliseconds between two looks for what dead consumers had in hand, at most. */
const LONGEST_CLAIM = 5000;

/** What a consumer works with. */
export interface ConsumerContext
  extends Pick<BrokerContext, "operations" | "logger" | "clock" | "lost" | "mostRetries"> {
  readonly settings: Settings & { readonly group: string };
  /** For all commands but those that wait. */
  readonly link: Link;
  /** How the connection is made that reads. */
  readonly reader: Pick<LinkOptions, "outage" | "open" | "expected">;
  /** The name of this process in the group. */
  readonly name: string;
}

/** Hands over at most `prefetch` entries at once. Those that wait for another delivery hold up none. */
export class StreamConsumer {
  readonly #context: ConsumerContext;
  readonly #streams: readonly Stream[];
  readonly #groups: Groups;
  readonly #members: MembersContext;
  #places: Places | undefined;
  #reader: Link | undefined;
  #running: Promise<void> | undefined;
  readonly #waiting: Waiting;
  #claimDue = true;
  #missedDue = false;
  #blocked = false;
  #wake: (() => void) | undefined;
  #claims: ReturnType<typeof setInterval> | undefined;
  #renewals: ReturnType<typeof setInterval> | undefined;
  #failure: string | undefined;
  #claimed = 0;
  #stopped = false;

  /** Does nothing before `start`. */
  constructor(context: ConsumerContext) {
    this.#context = context;
    const { operations, settings, link, name: consumer, logger, clock, lost } = context;
    const { group, claimAfter, deadLetters } = settings;
    this.#waiting = new Waiting(clock, () => this.#interrupt());
    this.#members = { link, group, consumer, claimAfter };
    const names = new Set(operations.filter((name) => name !== undefined));
    this.#streams = [...names].map((name) =>
      new Stream(name, { link, group, consumer, claimAfter, deadLetters, logger, lost })
    );
    this.#groups = new Groups(this.#streams, group, logger);
  }

  /** Why it does not consume at the moment, although it should. */
  get health(): string | undefined {
    if (this.#places === undefined || this.#stopped) return undefined;
    return this.#reader?.health ?? this.#failure;
  }

  /** How many entries it has taken over from consumers that were gone. */
  get claimed(): number {
    return this.#claimed;
  }

  /** Makes groups and streams where they are missing, on a connection that is not in use yet. */
  declare(): Promise<void> {
    return this.#groups.declare();
  }

  /**
   * Begins to consume, now or as soon as there is a connection. Returns the error that the first attempt
   * ended with, if any; not where there is no connection anyway.
   */
  async start(deliver: Deliver): Promise<unknown> {
    const { claimAfter, prefetch } = this.#context.settings;
    this.#places = new Places(prefetch, deliver, () => this.#wake?.());
    const patient = this.#context.link.client === undefined;
    const reader = new Link({ ...this.#context.reader, patient });
    this.#reader = reader;
    // What was sent on the connection before is pending and has not arrived.
    const connected = (): void => {
      this.#missedDue = this.#running !== undefined;
      this.#interrupt();
    };
    reader.onReady(connected);
    const failure = patient ? undefined : await reader.opened;
    if (this.#stopped) return failure;
    this.#claims = setInterval(() => {
      this.#claimDue = true;
      this.#interrupt();
    }, Math.min(claimAfter / 2, LONGEST_CLAIM));
    this.#renewals = setInterval(() => void this.#renew(), claimAfter / 3);
    this.#context.link.onReady(() => {
      connected();
      void this.#renew();
    });
    this.#running = this.#run();
    return failure;
  }

  /** Reads no more, and leaves to others what waits for another delivery. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#claims);
    this.#places?.close();
    this.#interrupt();
    await withTimeout(this.#running ?? Promise.resolve(), PATIENCE, () => undefined);
    await Promise.all(
      this.#waiting.clear().map(({ stream, holding }) => stream.release(holding, 0)),
    );
  }

  /** Waits until the server has what is to be told, for a few seconds at most, and disconnects. */
  async close(): Promise<void> {
    await this.stop();
    clearInterval(this.#renewals);
    await withTimeout(this.#leave(), PATIENCE, () => undefined);
    this.#reader?.close();
  }

  /** Delivers an entry again, `delay` milliseconds from now; other processes do after a stop. */
  deliverLater(stream: Stream, holding: Holding, delay: number): void | Promise<void> {
    if (this.#stopped) return stream.release(holding, delay);
    stream.held.set(holding.id, holding);
    this.#waiting.add({ stream, holding }, delay);
  }

  mostRetries(): number {
    return this.#context.mostRetries();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#step();
        this.#failure = undefined;
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  async #step(): Promise<void> {
    const free = Math.min(this.#places?.free ?? 0, MOST_WAITING - this.#waiting.size);
    if (free <= 0) {
      await this.#pause();
      // Places that get free in one turn of the event loop are filled with one command.
      return await new Promise<void>(endOfTick);
    }
    const { link } = this.#context;
    if (link.client === undefined || this.#reader?.client === undefined) return await this.#pause();
    if (this.#missedDue) return await this.#takeMissed();
    if (this.#waiting.isDue) return await this.#deliverDue(free);
    if (this.#claimDue) return await this.#claim(free);
    await this.#read(free);
  }

  async #read(free: number): Promise<void> {
    const { settings: { group }, name } = this.#context;
    const count = Math.max(1, Math.floor(free / this.#streams.length));
    const names = this.#streams.map((stream) => stream.name);
    this.#blocked = true;
    const found = await this.#reader?.command<readonly (Buffer | readonly RawEntry[])[] | null>([
      ...["XREADGROUP", "GROUP", group, name, "COUNT", String(count), "BLOCK", String(BLOCK)],
      ...["STREAMS", ...names, ...names.map(() => ">")],
    ], BYTES).finally(() => this.#blocked = false) ?? [];
    for (let at = 0; at + 1 < found.length; at += 2) {
      const stream = this.#streams.find(({ name }) => name === String(found[at]));
      for (const [id, fields] of found[at + 1] as readonly RawEntry[]) {
        if (stream !== undefined) {
          this.#take(stream, { id: id.toString("latin1"), retries: 0, fields });
        }
      }
    }
  }

  #take(stream: Stream, read: Read): void {
    const delivery = new StreamDelivery(stream, read, this);
    stream.held.set(read.id, delivery);
    this.#places?.take(delivery);
  }

  async #deliverDue(free: number): Promise<void> {
    const some = this.#waiting.take(free);
    const reads = await Promise.allSettled(
      some.map(({ stream, holding }) => stream.again(holding)),
    );
    let failure: PromiseRejectedResult | undefined;
    for (const [at, read] of reads.entries()) {
      if (read.status === "rejected") {
        failure = read;
        this.#waiting.now(some[at]);
      } else if (read.value !== undefined) {
        this.#take(some[at].stream, read.value);
      }
    }
    if (failure !== undefined) throw failure.reason;
  }

  async #takeMissed(): Promise<void> {
    for (const stream of this.#streams) {
      for (const holding of await stream.missed()) {
        stream.held.set(holding.id, holding);
        this.#waiting.now({ stream, holding });
      }
    }
    this.#missedDue = false;
  }

  async #claim(free: number): Promise<void> {
    let left = free;
    let complete = true;
    for (const stream of this.#streams) {
      if (left === 0) return;
      const claimed = await stream.claim(left);
      for (const read of claimed) this.#take(stream, read);
      this.#claimed += claimed.length;
      left -= claimed.length;
      complete &&= stream.claimedAll;
      await removeGone(stream.name, this.#members);
    }
    if (complete) this.#claimDue = false;
  }

  /** A connection that is lost says so itself, and takes what is due when it is back. */
  async #renew(): Promise<void> {
    for (const stream of this.#streams) await stream.renew().catch(() => undefined);
  }

  async #failed(error: unknown): Promise<void> {
    const { link, logger } = this.#context;
    if (link.client === undefined || this.#reader?.client === undefined) return;
    try {
      if (isGroupGone(error)) return await this.#groups.declare();
      throw error;
    } catch (error) {
      const failure = `cannot read its streams: ${describe(error)}`;
      if (failure !== this.#failure) logger.warn("failed to consume: {failure}", { failure });
      this.#failure = failure;
      await withTimeout(this.#pause(), PAUSE, () => undefined);
    }
  }

  /** Ends when something has changed. */
  #pause(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Lets the loop look at what has changed, also while the server waits for an entry. */
  #interrupt(): void {
    this.#wake?.();
    const id = this.#reader?.id;
    if (!this.#blocked || id === undefined) return;
    // A user without this right waits until the server's own wait ends.
    this.#context.link.command(["CLIENT", "UNBLOCK", String(id)]).catch(() => undefined);
  }

  async #leave(): Promise<void> {
    for (const stream of this.#streams) {
      await stream.settle();
      // Where there is no connection, another process removes this one from the group.
      await leave(stream.name, this.#members).catch(() => undefined);
    }
  }
}
