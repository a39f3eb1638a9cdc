/** The types that a flow gives to messages in place of `message`. */
import * as v from "valibot";
import type { CodedProblem } from "../../contract/definition.ts";
import { type ValueSchema, valueSchema } from "../../contract/value-schema.ts";
import { CONTROL_TYPES, RESERVED_TYPES, TYPE_FORM, TYPE_PATTERN } from "./protocol.ts";

/** The types of the protocol, of clients and of the server. */
const OWN_TYPES: ReadonlySet<string> = new Set([
  ...["message", "join_room", "leave_room"],
  ...RESERVED_TYPES,
  ...CONTROL_TYPES,
]);

/** A type for messages: of the form of all types, and none of the protocol. */
export function frameType(): ValueSchema<string> {
  return valueSchema(
    "frame type",
    v.pipe(
      v.string("must be text in quotes"),
      v.regex(TYPE_PATTERN, `must be a frame type\n${TYPE_FORM}`),
      v.check(
        (type) => !OWN_TYPES.has(type),
        ({ input }) =>
          `must not be ${JSON.stringify(input)}, a type of the protocol` +
          (input === "message" ? "\nmessages have this type without frame" : ""),
      ),
    ),
  );
}

/** The problem of a `frame` in a block that sends nothing. */
export function unusedFrame(operation: string): CodedProblem {
  return {
    code: "unused-attribute",
    attribute: "frame",
    message: `has a frame, which ${operation} does not use`,
    hint: "broadcast, send_to_room, send_to_user and send_to_client use it",
  };
}
