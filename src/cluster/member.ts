/** The cluster as one of its members uses it, over a connection to the coordinator. */
import { getLogger } from "@logtape/logtape";
import { endOfTick } from "../base/clock.ts";
import type { Channel, Cluster, DedupeStore, Lock, Progress } from "../contract/cluster.ts";
import type { ChannelMessage, CoordinatorFunctions, MemberFunctions, Remote } from "./protocol.ts";

/** Messages are sent after this many ticks in which none was added, and after `MAX_TICKS` at the latest. */
const QUIET_TICKS = 3;
const MAX_TICKS = 16;

/** Above this many characters that the others have not handled yet, the publisher waits. */
const MAX_UNHANDLED = 4 * 1024 * 1024;
/** At this many unhandled characters, a sync begins. */
const SYNC_FROM = MAX_UNHANDLED / 4;

type Receive = (message: unknown) => unknown;

/** One member of the cluster. Once disconnected it is alone, which is not an error. */
export class ClusterMember implements Cluster, MemberFunctions {
  readonly #coordinator: Remote<CoordinatorFunctions>;
  readonly #receivers = new Map<string, Receive>();
  readonly #backpressure = new Backpressure(() => {
    this.#flush();
    return this.#call((coordinator) => coordinator.sync(), undefined);
  });
  #connected = true;
  #leader: boolean;
  /** What this member does when it becomes the leader. */
  #whenLeader: ((takesOver: boolean) => Promise<void>)[] = [];
  /** Published messages that have not been sent yet. */
  #outbox: ChannelMessage[] = [];

  /** Sends nothing yet. */
  constructor(leader: boolean, coordinator: Remote<CoordinatorFunctions>) {
    this.#leader = leader;
    this.#coordinator = coordinator;
  }

  get leader(): boolean {
    return this.#leader;
  }

  whenLeader(act: (takesOver: boolean) => Promise<void>): Promise<void> {
    if (this.#leader) return act(false);
    this.#whenLeader.push(act);
    return Promise.resolve();
  }

  lead(): void {
    this.#leader = true;
    for (const act of this.#whenLeader.splice(0)) {
      act(true).catch((error) => {
        getLogger(["weir", "workers"]).error("failed to take over as leader: {error}", { error });
      });
    }
  }

  async loadProgress(schedule: string): Promise<Progress | undefined> {
    const progress = await this.#call((coordinator) => coordinator.loadProgress(schedule), null);
    return progress ?? undefined;
  }

  saveProgress(schedule: string, progress: Progress): void {
    this.#send((coordinator) => coordinator.saveProgress.asEvent(schedule, progress));
  }

  channel(connector: string): Channel {
    return {
      publish: (message) => {
        const text = JSON.stringify(message);
        if (this.#outbox.push([connector, text]) === 1) this.#flushSoon();
        return this.#backpressure.add(text.length);
      },
      request: async (message) => {
        const text = JSON.stringify(message);
        this.#flush();
        const responses = await this.#call(
          (coordinator) => coordinator.request(connector, text),
          [],
        );
        return responses.map((response) => JSON.parse(response));
      },
      subscribe: (receive) => void this.#receivers.set(connector, receive),
    };
  }

  acquireSlot(name: string, limit: number): Promise<boolean> {
    return this.#call((coordinator) => coordinator.acquireSlot(name, limit), false);
  }

  releaseSlot(name: string): void {
    this.#send((coordinator) => coordinator.releaseSlot.asEvent(name));
  }

  lock(name: string): Lock {
    const id = crypto.randomUUID();
    return {
      held: this.#call((coordinator) => coordinator.lock(id, name), undefined),
      release: () => this.#send((coordinator) => coordinator.unlock.asEvent(id)),
    };
  }

  dedupeStore(maxKeys: number): DedupeStore {
    return {
      has: (...entry) => this.#call((coordinator) => coordinator.hasKey(...entry), false),
      add: (flow, key, now, until, answer) =>
        this.#call(
          (coordinator) => coordinator.addKey(flow, key, now, until, answer ?? null, maxKeys),
          undefined,
        ),
      answer: async (...entry) =>
        await this.#call((coordinator) => coordinator.keyAnswer(...entry), null) ?? undefined,
    };
  }

  async readOnce<T>(name: string, read: () => Promise<T>): Promise<T> {
    const saved = await this.#call((coordinator) => coordinator.loadText(name), null);
    // In an object, since undefined alone is not JSON.
    if (saved !== null) return (JSON.parse(saved) as { readonly value: T }).value;
    const value = await read();
    const text = JSON.stringify({ value });
    await this.#call((coordinator) => coordinator.saveText(name, text), undefined);
    return value;
  }

  barrier(step: string): Promise<void> {
    return this.#call((coordinator) => coordinator.barrier(step), undefined);
  }

  /** Resolves when this member receives the messages of the others. */
  subscribe(): Promise<void> {
    return this.#call((coordinator) => coordinator.subscribe(), undefined);
  }

  deliver(messages: readonly ChannelMessage[]): void {
    for (const [connector, text] of messages) this.#receivers.get(connector)?.(JSON.parse(text));
  }

  /** Returns null as JSON if the connector has not subscribed. */
  respond(connector: string, text: string): string {
    return JSON.stringify(this.#receivers.get(connector)?.(JSON.parse(text)) ?? null);
  }

  ping(): void {}

  /**
   * The coordinator is gone: nothing is sent from now on. The owner of the connection must close it,
   * so that pending calls end.
   */
  disconnect(): void {
    this.#connected = false;
  }

  /** Messages of one burst are sent together, since each call between processes has its price. */
  #flushSoon(): void {
    const burst = this.#outbox;
    let [count, quiet, ticks] = [0, 0, 0];
    const tick = (): void => {
      // A request has sent them already.
      if (this.#outbox !== burst) return;
      quiet = burst.length === count ? quiet + 1 : 0;
      count = burst.length;
      if (quiet < QUIET_TICKS && ++ticks < MAX_TICKS) endOfTick(tick);
      else this.#flush();
    };
    endOfTick(tick);
  }

  #flush(): void {
    const messages = this.#outbox;
    if (messages.length === 0) return;
    this.#outbox = [];
    this.#send((coordinator) => coordinator.publish.asEvent(messages));
  }

  #send(send: (coordinator: Remote<CoordinatorFunctions>) => Promise<void>): void {
    void this.#call(send, undefined);
  }

  /** The coordinator's answer; `alone` once this member is disconnected. */
  async #call<T>(
    call: (coordinator: Remote<CoordinatorFunctions>) => Promise<T>,
    alone: T,
  ): Promise<T> {
    if (!this.#connected) return alone;
    try {
      return await call(this.#coordinator);
    } catch (error) {
      if (this.#connected) throw error;
      return alone;
    }
  }
}

/** Keeps a member from publishing faster than the others receive. */
class Backpressure {
  readonly #sync: () => Promise<void>;
  #published = 0;
  #handled = 0;
  /** Pending during a sync. */
  #syncing: Promise<void> | undefined;

  /** `sync` resolves when the others have handled everything published before; it never rejects. */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Counts published characters. Returns a promise to wait for when the others fall behind. */
  add(characters: number): Promise<void> | undefined {
    this.#published += characters;
    const unhandled = this.#published - this.#handled;
    if (unhandled >= SYNC_FROM) this.#syncing ??= this.#startSync();
    return unhandled > MAX_UNHANDLED ? this.#syncing : undefined;
  }

  async #startSync(): Promise<void> {
    const published = this.#published;
    await this.#sync();
    this.#handled = published;
    this.#syncing = undefined;
  }
}
