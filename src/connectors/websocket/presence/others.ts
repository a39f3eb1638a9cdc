/** Tells the other instances the members of rooms here, and hears theirs. */
import { type Clock, endOfTick } from "../../../base/clock.ts";
import type { Instances } from "../../../contract/instances.ts";
import { encode, Nonsense } from "../instances/wire.ts";
import { roomTopic } from "../instances/topics.ts";
import type { FeatureListener } from "../room-feature.ts";
import type { Member } from "./member.ts";
import type { PresenceRoom } from "./room.ts";
import {
  type Asks,
  decodeTold,
  encodeChanges,
  encodeList,
  encodeQuestion,
  type Told,
} from "./wire.ts";

/** How long a list of the others may take, in milliseconds. */
const PATIENCE = 500;
/** How long it waits before it tells again what may not have arrived, in milliseconds. */
const RETRY_DELAY = 1_000;

/** What it needs. */
export interface OthersContext {
  readonly instances: Instances;
  readonly clock: Clock;
  /** The rooms in which connections of this instance have places. */
  readonly rooms: ReadonlyMap<string, PresenceRoom>;
}

/** What has changed of one member since it was told. */
interface Change {
  readonly member: Member;
  came: number;
}

/** The presence of the other instances. */
export class Others implements FeatureListener {
  readonly #context: OthersContext;
  /** By room and member. */
  #untold = new Map<string, Map<string, Change>>();
  /** Rooms whose list the others may have missed. */
  readonly #unsure = new Set<string>();
  /** Rooms without a place here that somebody asks about. */
  readonly #visited = new Map<string, PresenceRoom>();
  /** Questions under way. */
  readonly #asking = new Map<PresenceRoom, Promise<void>>();
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  constructor(context: OthersContext) {
    this.#context = context;
  }

  /** The connections of a member here have changed; `came` is how many are new. */
  changed(room: string, member: Member, came: number): void {
    if (this.#isClosed) return;
    if (this.#untold.size === 0) endOfTick(() => this.#tellChanges());
    let changes = this.#untold.get(room);
    if (changes === undefined) this.#untold.set(room, changes = new Map());
    const known = changes.get(member.id);
    changes.set(member.id, { member, came: (known?.came ?? 0) + came });
  }

  /**
   * Asks the others for their lists, so that the room has all members from then on. Resolves when
   * all have answered, after half a second at the latest. Never rejects.
   */
  learn(room: PresenceRoom): Promise<void> {
    const asking = this.#asking.get(room);
    if (asking !== undefined) return asking;
    room.hearsOthers = true;
    const asked = this.#ask(room.name, "some").finally(() => this.#asking.delete(room));
    this.#asking.set(room, asked);
    return asked;
  }

  /** The same for a room in which nobody of this instance is: what is heard is not kept. */
  async visit(room: PresenceRoom): Promise<void> {
    this.#visited.set(room.name, room);
    try {
      await this.learn(room);
    } finally {
      this.#visited.delete(room.name);
    }
  }

  /** Whether the others are being asked about a room. */
  isAsking(room: PresenceRoom): boolean {
    return this.#asking.has(room);
  }

  /** The room that somebody asks about already. */
  visited(room: string): PresenceRoom | undefined {
    return this.#visited.get(room);
  }

  message(text: string, topic: string, from: string): void {
    if (from === this.#context.instances.id) return;
    const told = decodeTold(text);
    const { room: name, asks } = told;
    if (topic !== "" && topic !== roomTopic(name)) throw new Nonsense("it is about another room");
    if (asks !== false) throw new Nonsense("it asks where nobody answers");
    const room = this.#context.rooms.get(name);
    if (room !== undefined) this.#hear(room, told, from);
    const visited = this.#visited.get(name);
    if (visited !== undefined) this.#hear(visited, told, from);
  }

  answer(text: string, from: string): void {
    const { room, asks } = decodeTold(text);
    if (asks === false) throw new Nonsense("it asks nothing about presence");
    // It is there before the answer.
    this.#tellList(room, from, asks);
  }

  gone(instance: string): void {
    for (const room of this.#context.rooms.values()) room.died(instance);
  }

  gap(): void {
    for (const room of this.#context.rooms.values()) {
      this.#announce(room.name);
      // Whoever has left meanwhile is in an instance that may not be in the room any more.
      if (room.hearsOthers) void this.#ask(room.name, "always");
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
  }

  async #ask(room: string, asks: Asks): Promise<void> {
    const { instances } = this.#context;
    // Nobody else is there.
    if (asks === "some" && instances.heard?.(roomTopic(room)) === false) return;
    try {
      await instances.ask(encode("presence", {}, encodeQuestion(room, asks)), PATIENCE);
    } catch {
      // The backplane is away, which it reports itself. After that there is a gap.
    }
  }

  #hear(room: PresenceRoom, { entries, list }: Told, from: string): void {
    if (list?.first && room.hearsOthers) room.doubt(from);
    for (const { identity, part, came } of entries) {
      if (room.hearsOthers) room.heard(from, identity, part);
      if (came > 0) room.taken(identity, came, from);
    }
    if (list?.last && room.hearsOthers) room.dropDoubtful(from);
  }

  #tellChanges(): void {
    const untold = this.#untold;
    this.#untold = new Map();
    if (this.#isClosed) return;
    for (const [name, changes] of untold) {
      if (this.#context.instances.heard?.(roomTopic(name)) === false) continue;
      const room = this.#context.rooms.get(name);
      const members = [...changes].map(([id, { member, came }]) =>
        [room?.members.get(id) ?? member, came] as const
      );
      for (const text of encodeChanges(name, members)) this.#publish(name, text);
    }
  }

  /** Tells the members of the room here to all that listen to it. */
  #announce(name: string): void {
    const own = this.#context.rooms.get(name)?.own ?? [];
    for (const text of encodeList(name, own)) this.#publish(name, text);
  }

  #tellList(name: string, to: string, asks: Asks): void {
    const { instances, rooms } = this.#context;
    const own = rooms.get(name)?.own ?? [];
    if (own.length === 0 && asks === "some") return;
    for (const text of encodeList(name, own)) {
      instances.tell(to, encode("presence", {}, text))?.catch(() => this.#tellAgain(name));
    }
  }

  #publish(name: string, text: string): void {
    const { instances } = this.#context;
    instances.publish(roomTopic(name), encode("presence", {}, text))
      ?.catch(() => this.#tellAgain(name));
  }

  #tellAgain(name: string): void {
    if (this.#isClosed) return;
    this.#unsure.add(name);
    this.#cancelRetry ??= this.#context.clock.after(RETRY_DELAY, () => {
      this.#cancelRetry = undefined;
      const unsure = [...this.#unsure];
      this.#unsure.clear();
      for (const name of unsure) this.#announce(name);
    });
  }
}
