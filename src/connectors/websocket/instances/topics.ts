/** The topics of one connector: all clients, those of a user, those in a room. No I/O. */

/** Everybody's topic. Every instance listens to it. */
export const EVERYBODY = "*";

/** The topic of what one instance tells another one alone. */
export const ONE_INSTANCE = "";

/** What the topics of rooms and users begin with. */
export const ROOM = "r/";
export const USER = "u/";

/** The topic of a room. */
export function roomTopic(room: string): string {
  return ROOM + room;
}

/** The topic of a user. */
export function userTopic(user: string): string {
  return USER + user;
}

/** The instance in a client's id; undefined where the id has none. */
export function instanceOf(client: string): string | undefined {
  return /^([a-z0-9]{1,32})-/.exec(client)?.[1];
}
