/** A member of a room: its connections here, what other instances tell of it, and its JSON. No I/O. */
import type { OpenConnection } from "../registry.ts";

/** The identity of a member: a user, or one connection without a user, by a key made for the room. */
export type Identity = { readonly user: string } | { readonly key: string };

/** What is known of connections of a member. The texts are JSON. */
export interface Facts {
  /** When the newest of them has come, in milliseconds since the epoch. */
  readonly at: number;
  readonly info?: string | undefined;
  /** When `data` was told. */
  readonly dataAt: number;
  readonly data?: string | undefined;
}

/** The connections of a member in another instance. */
export interface Part extends Facts {
  readonly live: number;
  /** Those that are lost and may come back. */
  readonly lost: number;
}

/** One connection of a member in this instance. */
export interface Place extends Facts {
  readonly member: Member;
  /** Undefined once it is lost. */
  connection: OpenConnection | undefined;
  at: number;
  info: string | undefined;
  dataAt: number;
  data: string | undefined;
  /** Stops the time in which it may come back. */
  cancel: (() => void) | undefined;
}

/** The key of a member among all of its room. */
export function idOf(identity: Identity): string {
  return "user" in identity ? `u${identity.user}` : `k${identity.key}`;
}

/** One member. */
export class Member {
  readonly id: string;
  readonly #fields: string;
  readonly #identity: Identity;
  /** Its connections here, the oldest first. */
  readonly places: Place[] = [];
  /** Those of other instances, by instance. */
  readonly parts: Map<string, Part> = new Map();
  #text: string | undefined;

  constructor(identity: Identity) {
    this.id = idOf(identity);
    this.#identity = identity;
    this.#fields = "user" in identity
      ? `"user_id":${JSON.stringify(identity.user)}`
      : `"key":${JSON.stringify(identity.key)}`;
  }

  /** Its user or its key. */
  get identity(): Identity {
    return this.#identity;
  }

  /** Whether it has no connection left. */
  get isGone(): boolean {
    return this.places.length === 0 && this.parts.size === 0;
  }

  /** Its `user_id` or `key` alone, as JSON. */
  get reference(): string {
    return `{${this.#fields}}`;
  }

  /** What clients are told of it, as JSON. */
  get text(): string {
    return this.#text ??= this.#write();
  }

  /** Something of it has changed. */
  changed(): void {
    this.#text = undefined;
  }

  /** What its connections here are, for other instances; undefined where there are none. */
  ownPart(): Part | undefined {
    if (this.places.length === 0) return undefined;
    const lost = this.places.filter(({ connection }) => connection === undefined).length;
    return { ...factsOf(this.places), live: this.places.length - lost, lost };
  }

  #write(): string {
    let connections = this.places.length;
    for (const { live, lost } of this.parts.values()) connections += live + lost;
    const all = this.parts.size === 0 ? this.places : [...this.places, ...this.parts.values()];
    const { info, data } = factsOf(all);
    const about = info === undefined ? "" : `,"info":${info}`;
    const own = data === undefined ? "" : `,"data":${data}`;
    return `{${this.#fields},"connections":${connections}${about}${own}}`;
  }
}

/**
 * The info of the newest connection, and the data that was told last. Of two at the same time all
 * instances choose the same: the one whose text is higher.
 */
function factsOf(all: readonly Facts[]): Facts {
  let newest = all[0];
  let teller: Facts | undefined;
  for (const one of all) {
    if (isAfter(one.at, one.info, newest.at, newest.info)) newest = one;
    if (one.data === undefined) continue;
    if (teller === undefined || isAfter(one.dataAt, one.data, teller.dataAt, teller.data)) {
      teller = one;
    }
  }
  return { at: newest.at, info: newest.info, dataAt: teller?.dataAt ?? 0, data: teller?.data };
}

function isAfter(
  at: number,
  text: string | undefined,
  otherAt: number,
  other: string | undefined,
): boolean {
  return at === otherAt ? (text ?? "") > (other ?? "") : at > otherAt;
}
