/** Which topic an audience has, and which audience a topic. No I/O. */
import { nameProblem } from "../../../access/names.ts";
import type { Audience } from "../recipients.ts";
import { EVERYBODY, ONE_INSTANCE, ROOM, roomTopic, USER, userTopic } from "./topics.ts";

/**
 * The topic of an audience that may have members in any instance; undefined for a user that cannot
 * exist, since its name is too long or the like.
 */
export function topicOf({ operation, name = "" }: Audience): string | undefined {
  switch (operation) {
    case "send_to_room":
      return roomTopic(name);
    case "send_to_user":
      return topicOfUser(name);
    default:
      return EVERYBODY;
  }
}

/** The topic of a user; undefined where no user can have this name. */
export function topicOfUser(user: string): string | undefined {
  return nameProblem("user", user) === undefined ? userTopic(user) : undefined;
}

/** The audience of a message with this topic, or for this client; undefined where there is none. */
export function audienceOfTopic(topic: string, client: string | undefined): Audience | undefined {
  if (topic === EVERYBODY) return { operation: "broadcast" };
  if (topic === ONE_INSTANCE) {
    return client === undefined ? undefined : { operation: "send_to_client", name: client };
  }
  const name = topic.slice(ROOM.length);
  if (name === "") return undefined;
  if (topic.startsWith(ROOM)) return { operation: "send_to_room", name };
  return topic.startsWith(USER) ? { operation: "send_to_user", name } : undefined;
}
