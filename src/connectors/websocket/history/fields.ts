/** The `history` block of a `room`. */
import type { Keep } from "../../../base/kept-messages.ts";
import { attribute, block, type Field } from "../../../contract/fields.ts";
import { duration, integer } from "../../../contract/value-schema.ts";

/** Most rooms have few messages, but many rooms have some. */
const MOST = 10_000;

/** How much of a room is kept; undefined where nothing is. */
export const historyField: Field<Keep | undefined> = block({
  size: attribute(integer({ min: 1, max: MOST }), {
    about: "How many of the newest messages of a room are kept.",
    default: 100,
  }),
  ttl: attribute(duration({ min: 1_000 }), {
    about: "How long they are kept after the newest of them.",
    default: "10m",
  }),
}, {
  about:
    "Keeps the newest messages of the room, so that a client that comes back gets what it has " +
    "missed.",
});
