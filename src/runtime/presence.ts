/** What `runtime.presence` returns. */

/** The members of a room. */
export interface RoomPresence {
  /** The number of members. */
  readonly count: number;
  /** All members, in any order; empty where there are more than the `max` of the room. */
  readonly members: readonly PresenceMember[];
}

/** One member: a user, or a connection without one. */
export interface PresenceMember {
  /** The user; absent for a connection without one. */
  readonly user_id?: string;
  /** A name for a connection without a user, made for this room. */
  readonly key?: string;
  /** How many connections the member has in the room. */
  readonly connections: number;
  /** What the room's `info` says of its newest connection; absent without `info`. */
  readonly info?: unknown;
  /** What its client has told of itself; absent where it has told nothing. */
  readonly data?: unknown;
}
