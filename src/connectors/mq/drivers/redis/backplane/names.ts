/** The names of channels and keys at the server. Everything of one service has one prefix. */
import { quoted } from "../../../../../base/shown.ts";

/** The names of one service. */
export interface Names {
  /** What the channels of topics begin with. */
  readonly topics: string;
  /** What the keys begin with. */
  readonly keys: string;
  /** What the keys of the history of rooms begin with. */
  readonly history: string;
  /** The channel on which one instance hears itself. */
  readonly beat: string;
  /** The rights that the user of the connections needs, for a person who grants them. */
  readonly rights: string;
}

/** The names for an instance of a service, whatever its name is. */
export function namesOf(service: string, instance: string): Names {
  // Without a colon it ends before the next part, and without a star it is no pattern of an ACL.
  const name = encodeURIComponent(service.toWellFormed()).replaceAll("*", "%2A");
  const prefix = `weir:${name}:`;
  return {
    topics: `${prefix}t:`,
    keys: `${prefix}k:`,
    history: `${prefix}h:`,
    beat: `${prefix}beat:${instance}`,
    rights: `the channels ${quoted(`${prefix}*`)} and +ping +publish +subscribe +unsubscribe`,
  };
}
