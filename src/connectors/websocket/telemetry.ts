/** What traces say of what flows ask of a `websocket` connector. */
import type { Telemetry } from "../../contract/telemetry.ts";
import { isControl } from "./control.ts";
import { HISTORY } from "./history/listing.ts";
import { PRESENCE } from "./presence/checks.ts";

/** The operations whose target is a room. Users and clients are not told. */
const OF_ROOMS: readonly string[] = ["send_to_room", "join_room", "leave_room", PRESENCE, HISTORY];

/** The spans of messages to clients and of what changes their connections. */
export const telemetry: Telemetry = {
  request({ operation = "broadcast" }, _, connector) {
    const sendsNothing = isControl(operation) || operation === PRESENCE || operation === HISTORY;
    return {
      name: `${operation} ${connector}`,
      kind: sendsNothing ? "internal" : "producer",
      ...(OF_ROOMS.includes(operation) && { attributesOf: (room) => ({ "weir.room": room }) }),
    };
  },
};
