/** Coordinates the members of a cluster: keeps what they share, and their leader. No I/O. */
import type { Clock } from "../base/clock.ts";
import type { DedupeStore } from "../contract/cluster.ts";
import { Membership } from "./membership.ts";
import { ScheduleProgress } from "./progress.ts";
import type { CoordinatorFunctions } from "./protocol.ts";

/** A member as the coordinator reaches it. */
export interface RemoteMember {
  /** Tells the member that it is the leader from now on. */
  lead(): void;
}

/** What a coordinator is made with. */
export interface CoordinatorOptions {
  readonly clock: Clock;
  /** Creates the store of one flow. */
  createDedupeStore(maxKeys: number): DedupeStore;
}

/** The members that have reached a step. */
interface Barrier {
  readonly arrived: Set<RemoteMember>;
  readonly open: PromiseWithResolvers<void>;
}

/** Coordinates the members that have joined. */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #membership = new Membership<RemoteMember>();
  readonly #slots = new Slots();
  readonly #locks = new Locks();
  /** By the name of the flow. */
  readonly #dedupeStores = new Map<string, DedupeStore>();
  readonly #texts = new Map<string, string>();
  readonly #progress: ScheduleProgress;
  readonly #barriers = new Map<string, Barrier>();

  /** Begins without members. */
  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#progress = new ScheduleProgress(options.clock);
  }

  /** Adds a member. Returns what it can call. */
  join(member: RemoteMember): CoordinatorFunctions {
    this.#membership.join(member);
    return {
      acquireSlot: (name, limit) => this.#slots.acquire(member, name, limit),
      releaseSlot: (name) => this.#slots.release(member, name),
      lock: (id, name) => this.#locks.acquire(member, id, name),
      unlock: (id) => this.#locks.release(id),
      hasKey: (flow, key, now) => this.#dedupeStores.get(flow)?.has(flow, key, now) ?? false,
      addKey: (flow, key, now, until, answer, maxKeys) => {
        const store = this.#dedupeStores.get(flow) ?? this.#options.createDedupeStore(maxKeys);
        this.#dedupeStores.set(flow, store);
        return store.add(flow, key, now, until, answer ?? undefined);
      },
      keyAnswer: async (flow, key, now) =>
        await this.#dedupeStores.get(flow)?.answer?.(flow, key, now) ?? null,
      loadProgress: (schedule) => this.#progress.load(schedule) ?? null,
      saveProgress: (schedule, progress) => this.#progress.save(schedule, progress),
      loadText: (name) => this.#texts.get(name) ?? null,
      saveText: (name, text) => void this.#texts.set(name, text),
      barrier: (step) => this.#arrive(member, step),
    };
  }

  /** Marks a member as ready to be the leader. */
  ready(member: RemoteMember): void {
    this.#membership.ready(member);
  }

  /** Removes a member that has ended, and releases what it held. */
  leave(member: RemoteMember): void {
    this.#membership.leave(member);
    this.#slots.releaseAll(member);
    this.#locks.releaseAll(member);
    for (const barrier of this.#barriers.values()) this.#openIfComplete(barrier);
  }

  /** Whether a member is the leader. */
  isLeader(member: RemoteMember): boolean {
    return this.#membership.leader === member;
  }

  /** Makes the oldest ready member the leader if there is none. */
  elect(): void {
    this.#membership.elect()?.lead();
    // Without a leader no schedule runs, and the next leader does not make up for it.
    if (this.#membership.leader === undefined) this.#progress.clear();
  }

  #arrive(member: RemoteMember, step: string): Promise<void> {
    let barrier = this.#barriers.get(step);
    if (barrier === undefined) {
      barrier = { arrived: new Set(), open: Promise.withResolvers() };
      this.#barriers.set(step, barrier);
    }
    barrier.arrived.add(member);
    this.#openIfComplete(barrier);
    return barrier.open.promise;
  }

  #openIfComplete({ arrived, open }: Barrier): void {
    if (this.#membership.all.every((member) => arrived.has(member))) open.resolve();
  }
}

/** Slots of which all members together have a limited number, such as `max_connections`. */
class Slots {
  /** By name: how many each member holds. */
  readonly #held = new Map<string, Map<RemoteMember, number>>();

  acquire(member: RemoteMember, name: string, limit: number): boolean {
    const held = this.#of(name);
    let sum = 0;
    for (const count of held.values()) sum += count;
    if (sum >= limit) return false;
    held.set(member, (held.get(member) ?? 0) + 1);
    return true;
  }

  release(member: RemoteMember, name: string): void {
    const held = this.#of(name);
    const count = held.get(member) ?? 0;
    if (count > 1) held.set(member, count - 1);
    else held.delete(member);
  }

  releaseAll(member: RemoteMember): void {
    for (const held of this.#held.values()) held.delete(member);
  }

  #of(name: string): Map<RemoteMember, number> {
    let held = this.#held.get(name);
    if (held === undefined) {
      held = new Map();
      this.#held.set(name, held);
    }
    return held;
  }
}

/** A request for a lock. */
interface LockRequest {
  readonly member: RemoteMember;
  readonly name: string;
  readonly grant: () => void;
}

/** Locks, granted in the order of the requests. */
class Locks {
  /** By the name of the lock; the first request holds it. */
  readonly #queues = new Map<string, LockRequest[]>();
  readonly #requests = new Map<string, LockRequest>();

  /** Resolves when the lock is acquired. `id` must be new. */
  acquire(member: RemoteMember, id: string, name: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const request = { member, name, grant: resolve };
    this.#requests.set(id, request);
    const queue = this.#queues.get(name);
    if (queue !== undefined) queue.push(request);
    else {
      this.#queues.set(name, [request]);
      resolve();
    }
    return promise;
  }

  /** Releases a lock, or withdraws the request for it. */
  release(id: string): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    this.#requests.delete(id);
    // A withdrawn request must not stay pending.
    request.grant();
    const queue = this.#queues.get(request.name) ?? [];
    const held = queue[0] === request;
    queue.splice(queue.indexOf(request), 1);
    if (queue.length === 0) this.#queues.delete(request.name);
    else if (held) queue[0].grant();
  }

  releaseAll(member: RemoteMember): void {
    for (const [id, request] of [...this.#requests]) {
      if (request.member === member) this.release(id);
    }
  }
}
