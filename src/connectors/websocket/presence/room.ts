/** The members of one room: the connections of this instance, and what the others tell of theirs. */
import type { Clock } from "../../../base/clock.ts";
import type { OpenConnection } from "../registry.ts";
import type { PresenceOptions } from "./fields.ts";
import { type Identity, idOf, Member, type Part, type Place } from "./member.ts";
import { type NoticeContext, Notices } from "./notices.ts";

/** What a connection tells of itself, as JSON. */
export interface Told {
  readonly info: string | undefined;
  /** Undefined where it tells nothing, or nothing new. */
  readonly data: string | undefined;
}

/** What the rooms of a connector share. */
export interface RoomContext extends NoticeContext {
  readonly clock: Clock;
  /** A moment later than all before it, in milliseconds since the epoch. */
  now(): number;
  /** Makes the key of a member without a user. */
  newKey(): string;
  /** The connections of a member in this instance have changed; `came` is how many are new. */
  ownChanged(room: string, member: Member, came: number): void;
  /** A lost connection keeps its place, or does so no more. */
  kept(room: string, isKept: boolean): void;
  /** That many members more have connections here. */
  counted(members: number): void;
  /** The room has no connection of this instance left. */
  ended(room: string): void;
}

/** One room. */
export class PresenceRoom {
  readonly name: string;
  readonly options: PresenceOptions;
  readonly notices: Notices;
  readonly members: Map<string, Member> = new Map();
  /** Whether what the other instances tell is kept. */
  hearsOthers = false;
  readonly #context: RoomContext;
  readonly #places = new Map<OpenConnection, Place>();
  readonly #lost = new Set<Place>();
  /** Parts that an instance has to tell again, or they end: it has died, or tells its whole list. */
  readonly #doubtful = new Map<string, Set<Member>>();
  readonly #timers = new Set<() => void>();

  /** `isKnown` is true where there are no other instances. */
  constructor(name: string, options: PresenceOptions, isKnown: boolean, context: RoomContext) {
    this.name = name;
    this.options = options;
    this.#context = context;
    this.notices = new Notices(name, options, this.members, isKnown, context);
  }

  /** The place of a connection. */
  placeOf(connection: OpenConnection): Place | undefined {
    return this.#places.get(connection);
  }

  /** Whether no connection of this instance has a place. */
  get isEmpty(): boolean {
    return this.#places.size + this.#lost.size === 0;
  }

  /** The members that have connections here. */
  get own(): readonly Member[] {
    return [...this.members.values()].filter(({ places }) => places.length > 0);
  }

  /** A connection has joined. One of a user takes the place of one that was lost. */
  enter(connection: OpenConnection, { info, data }: Told): void {
    const { userId } = connection.state.credentials.identity;
    const identity: Identity = userId === null ? { key: this.#context.newKey() } : { user: userId };
    const member = this.#memberFor(identity);
    const at = this.#context.now();
    const lost = member.places.find((place) => place.connection === undefined);
    const dataAt = data === undefined ? 0 : at;
    if (lost !== undefined) {
      this.#keepNoMore(lost);
      Object.assign(lost, { connection, at, info, data, dataAt });
      this.#places.set(connection, lost);
      return this.#ownChanged(member, 0);
    }
    const place = { member, connection, at, info, data, dataAt, cancel: undefined };
    this.#places.set(connection, place);
    member.places.push(place);
    if (member.places.length === 1) this.#context.counted(1);
    this.#ownChanged(member, 1);
  }

  /** What a connection tells of itself has changed. */
  tell(place: Place, told: Partial<Told>): void {
    const { member } = place;
    const { info = place.info, data = place.data } = told;
    // The same data again is what was told last, which counts where a member has several connections.
    if (info === place.info && told.data === undefined) return;
    this.notices.changing(member.id);
    if (told.data !== undefined) place.dataAt = this.#context.now();
    place.info = info;
    place.data = data;
    this.#ownChanged(member, 0);
  }

  /** A connection is lost. Its place stays for some time, and is returned. */
  lose(connection: OpenConnection): Place | undefined {
    const place = this.#places.get(connection);
    if (place === undefined) return undefined;
    const { leave_grace: grace } = this.options;
    this.#places.delete(connection);
    this.notices.remove(connection);
    this.#lost.add(place);
    place.connection = undefined;
    this.#context.kept(this.name, true);
    place.cancel = this.#context.clock.after(grace, () => this.end(place));
    this.#context.ownChanged(this.name, place.member, 0);
    return place;
  }

  /** A connection has left. */
  leave(connection: OpenConnection): void {
    const place = this.#places.get(connection);
    if (place === undefined) return;
    this.#places.delete(connection);
    this.notices.remove(connection);
    this.#remove(place);
  }

  /** A place that was kept ends, unless its user has taken it again. */
  end(place: Place): void {
    if (!this.#lost.has(place)) return;
    this.#keepNoMore(place);
    this.#remove(place);
  }

  /** Connections of a user have come elsewhere: they take the places of as many lost ones. */
  taken(identity: Identity, came: number, by: string): void {
    const member = this.members.get(idOf(identity));
    if (member === undefined) return;
    let left = came;
    for (const place of member.places.filter(({ connection }) => connection === undefined)) {
      if (left-- <= 0) return;
      this.end(place);
    }
    for (const [instance, part] of member.parts) {
      const taken = Math.min(Math.max(left, 0), part.lost);
      if (instance === by || taken === 0) continue;
      left -= taken;
      this.#setPart(member.id, instance, { ...part, lost: part.lost - taken });
    }
  }

  /** What another instance tells of a member; undefined where it has none of its connections. */
  heard(instance: string, identity: Identity, part: Part | undefined): void {
    const id = idOf(identity);
    this.#doubtful.get(instance)?.delete(this.members.get(id)!);
    if (part !== undefined) this.#memberFor(identity);
    this.#setPart(id, instance, part);
  }

  /** What an instance has told may not hold any more. */
  doubt(instance: string): void {
    const told = [...this.members.values()].filter(({ parts }) => parts.has(instance));
    if (told.length > 0) this.#doubtful.set(instance, new Set(told));
  }

  /** What it has not told again ends. */
  dropDoubtful(instance: string): void {
    const members = this.#doubtful.get(instance);
    this.#doubtful.delete(instance);
    for (const { id } of members ?? []) this.#setPart(id, instance, undefined);
  }

  /** An instance has died. Its clients have some time to come back elsewhere. */
  died(instance: string): void {
    this.doubt(instance);
    if (!this.#doubtful.has(instance)) return;
    for (const { id, parts } of this.#doubtful.get(instance) ?? []) {
      const part = parts.get(instance)!;
      // Whoever comes elsewhere takes the place.
      this.#setPart(id, instance, { ...part, live: 0, lost: part.live + part.lost });
    }
    const cancel = this.#context.clock.after(this.options.leave_grace, () => {
      this.#timers.delete(cancel);
      this.dropDoubtful(instance);
    });
    this.#timers.add(cancel);
  }

  /** Ends all that waits. */
  close(): void {
    this.notices.close();
    for (const place of this.#lost) this.#keepNoMore(place);
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #memberFor(identity: Identity): Member {
    const id = idOf(identity);
    this.notices.changing(id);
    let member = this.members.get(id);
    if (member === undefined) this.members.set(id, member = new Member(identity));
    return member;
  }

  #keepNoMore(place: Place): void {
    this.#lost.delete(place);
    place.cancel?.();
    place.cancel = undefined;
    this.#context.kept(this.name, false);
  }

  #remove(place: Place): void {
    const { member } = place;
    this.notices.changing(member.id);
    member.places.splice(member.places.indexOf(place), 1);
    if (member.places.length === 0) this.#context.counted(-1);
    if (member.isGone) this.members.delete(member.id);
    this.#ownChanged(member, 0);
    if (this.isEmpty) this.#context.ended(this.name);
  }

  #ownChanged(member: Member, came: number): void {
    member.changed();
    this.#context.ownChanged(this.name, member, came);
  }

  #setPart(id: string, instance: string, part: Part | undefined): void {
    const member = this.members.get(id);
    if (member === undefined || (part === undefined && !member.parts.has(instance))) return;
    this.notices.changing(id);
    if (part === undefined || part.live + part.lost === 0) member.parts.delete(instance);
    else member.parts.set(instance, part);
    if (member.isGone) this.members.delete(id);
    member.changed();
  }
}
