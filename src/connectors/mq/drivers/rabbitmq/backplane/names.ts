/** The names of a service's backplane in RabbitMQ. */
import { digest, isLongerThan } from "../../../../../base/text.ts";

/** The longest name and routing key, in bytes. */
const LONGEST = 255;

/** The longest part of a name that is a service's. */
const LONGEST_SERVICE = 180;

/** Begins the hash of a text, and no text that is a name itself. */
const HASHED = "#";

/** The exchange that links the instances of a service. */
export function exchangeOf(service: string): string {
  return `weir.${bounded(service, LONGEST_SERVICE)}`;
}

/**
 * The queue of one instance on one connection. A queue whose name the broker makes would need a
 * permission for the names of everybody's.
 */
export function queueOf(service: string, instance: string, connection: string): string {
  return `${exchangeOf(service)}.${instance}.${connection.slice(0, 8)}`;
}

/** The routing key of a topic. */
export function keyOf(topic: string): string {
  return bounded(topic, LONGEST);
}

/** What an operator writes into the permissions of its user. */
export function grantOf(service: string): string {
  const name = exchangeOf(service).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return `its user needs ^${name}($|\\.) in its permissions to configure, to write and to read ` +
    "(rabbitmqctl set_permissions)";
}

/** A routing key that no topic has, and nobody binds. */
export const NOBODY = HASHED;

/** Another text for each text, and the same one where that is short enough. */
function bounded(text: string, longest: number): string {
  // Nobody can choose a text that is the hash of another one.
  const plain = !text.startsWith(HASHED) && !isLongerThan(text, longest);
  return plain ? text : HASHED + digest(text);
}
