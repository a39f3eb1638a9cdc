/** What stands for one server: the queues of all connectors of a runtime that name the same one. */
import { MemoryQueue, type QueueConsumer } from "./queue.ts";
import type { MemoryBinding, MemoryRouting, MemoryTarget } from "./routing.ts";

/** One connector's part of a server. */
export interface HostMember extends QueueConsumer {
  readonly routing: Pick<MemoryRouting, "bindings">;
  /** The operations of its flows; complete before the first message is routed. */
  readonly operations: readonly (string | undefined)[];
  /** The queue that it has alone. */
  readonly own: MemoryQueue;
}

/** A queue that gets a message, and the key of the event there. */
export interface Destination {
  readonly queue: MemoryQueue;
  readonly key: string | undefined;
}

interface Bound extends Pick<MemoryBinding, "matches" | "key" | "keeps" | "group"> {
  /** Undefined where it delivers to nobody. */
  readonly queue: MemoryQueue | undefined;
}

/** Routes from places to the queues of everything that listens there. */
export class MemoryHost {
  readonly #members = new Set<HostMember>();
  readonly #queues = new Map<string, MemoryQueue>();
  /** What listens in each place; undefined where that is to be found again. */
  #bindings: ReadonlyMap<string, readonly Bound[]> | undefined;
  readonly #consumed = new Map<HostMember, MemoryQueue[]>();
  /** How many messages each group has had. */
  readonly #turns = new Map<string, number>();
  /** Until when the ids of messages are refused. */
  readonly #ids = new Map<string, number>();
  #sequence = 0;

  /** The number of the next message. */
  next(): number {
    return this.#sequence++;
  }

  /** Adds a connector. */
  join(member: HostMember): void {
    this.#members.add(member);
    this.#bindings = undefined;
  }

  /** Removes a connector with its bindings. Returns its queues from which no other one consumes. */
  leave(member: HostMember): readonly MemoryQueue[] {
    const queues = this.queuesOf(member);
    this.#members.delete(member);
    this.#consumed.delete(member);
    this.#bindings = undefined;
    for (const queue of queues) queue.leave(member);
    return queues.filter((queue) => !queue.isConsumed);
  }

  /** The queues from which a connector consumes. */
  queuesOf(member: HostMember): readonly MemoryQueue[] {
    this.#bound();
    return this.#consumed.get(member) ?? [];
  }

  /**
   * The queues that get a message.
   *
   * @throws {Error} Nothing takes it where that is required.
   */
  route(
    { places, required, unique }: Pick<MemoryTarget, "places" | "required" | "unique">,
    key: string,
    now: number,
  ): readonly Destination[] {
    const found: Destination[] = [];
    const bindings = this.#bound();
    for (const place of places) {
      const bound = (bindings.get(place) ?? []).filter(({ matches }) => matches(key));
      if (bound.length === 0 && place === required?.place) throw new Error(required.reason);
      if (unique === undefined || !this.#isRepeated(bound, unique, now)) {
        this.#collect(bound, found);
      }
    }
    return found;
  }

  #collect(bound: readonly Bound[], found: Destination[]): void {
    for (const one of bound) {
      if (one.group === undefined) add(found, one);
    }
    if (bound.every(({ group }) => group === undefined)) return;
    for (const [group, all] of Map.groupBy(bound, ({ group }) => group)) {
      if (group === undefined) continue;
      const members = [...new Set(all.map(({ queue }) => queue))];
      const turn = this.#turns.get(group) ?? 0;
      this.#turns.set(group, turn + 1);
      const chosen = members[turn % members.length];
      add(found, all.find(({ queue }) => queue === chosen));
    }
  }

  /** Whether what keeps a message has had it. */
  #isRepeated(
    bound: readonly Bound[],
    { id, window }: NonNullable<MemoryTarget["unique"]>,
    now: number,
  ): boolean {
    const keeper = bound.find(({ keeps }) => keeps !== undefined)?.keeps;
    if (keeper === undefined) return false;
    for (const [known, until] of this.#ids) {
      if (until > now) break;
      this.#ids.delete(known);
    }
    const known = JSON.stringify([keeper, id]);
    if (this.#ids.has(known)) return true;
    this.#ids.set(known, now + window);
    return false;
  }

  #bound(): ReadonlyMap<string, readonly Bound[]> {
    return this.#bindings ??= this.#bind();
  }

  #bind(): ReadonlyMap<string, readonly Bound[]> {
    const all = [...this.#members].flatMap((member) =>
      member.routing.bindings(member.operations).map((binding) => ({ member, binding }))
    );
    const own = all.filter(({ binding }) => !binding.foreign);
    const bound = own.map(({ member, binding }) => this.#consume(member, binding));
    // Once all consumers of queues are known.
    const foreign = all.flatMap(({ binding }) => {
      const queue = binding.queue === undefined ? undefined : this.#queues.get(binding.queue);
      return binding.foreign && queue?.isConsumed ? [{ ...binding, queue }] : [];
    });
    return Map.groupBy([...bound, ...foreign], ({ place }) => place);
  }

  #consume(member: HostMember, binding: MemoryBinding): Bound & Pick<MemoryBinding, "place"> {
    if (binding.keeps !== undefined) return { ...binding, queue: undefined };
    const queue = binding.queue === undefined ? member.own : this.#queue(binding.queue);
    queue.join(member);
    const consumed = this.#consumed.get(member) ?? [];
    if (!consumed.includes(queue)) consumed.push(queue);
    this.#consumed.set(member, consumed);
    return { ...binding, queue };
  }

  #queue(name: string): MemoryQueue {
    const queue = this.#queues.get(name) ?? new MemoryQueue();
    this.#queues.set(name, queue);
    return queue;
  }
}

function add(found: Destination[], bound: Bound | undefined): void {
  if (bound?.queue === undefined) return;
  const { queue, key } = bound;
  if (!found.some((one) => one.queue === queue && one.key === key)) found.push({ queue, key });
}

const hosts = new WeakMap<object, Map<string, MemoryHost>>();

/** The host of a connector: that of all connectors of its runtime with the same address. */
export function hostOf(address: string, runtime: object | undefined): MemoryHost {
  if (runtime === undefined) return new MemoryHost();
  const known = hosts.get(runtime) ?? new Map<string, MemoryHost>();
  hosts.set(runtime, known);
  const host = known.get(address) ?? new MemoryHost();
  known.set(address, host);
  return host;
}
