/** `slow_client`: what becomes of a client that reads more slowly than it is sent to. */
import type { CodedProblem } from "../../../contract/definition.ts";
import { expression } from "../../../contract/expression-fields.ts";
import { attribute, block, type Values } from "../../../contract/fields.ts";
import { oneOf, size } from "../../../contract/value-schema.ts";

const fields = {
  queue: attribute(size({ min: 1024 }), {
    about: "So much may wait for one client that the kernel has not taken, and so no message to " +
      "clients may be larger.",
    default: "1MB",
  }),
  policy: attribute(oneOf(["disconnect", "drop_oldest", "coalesce"]), {
    about: "What becomes of a client over it: it is closed with 1013; or the oldest messages are " +
      "left out, and it is told how many; or only the newest message of each `key` is kept.",
    default: "disconnect",
  }),
  key: expression({
    about:
      "For `coalesce`: which messages replace each other, by `output` (what is sent), `room` " +
      "and `input`; a message whose key is null replaces none.",
    variables: ["output", "room", "input"],
  }),
};

/** The block of the connector. */
export const slowClientField = block(fields, {
  about: "What becomes of a client that does not read what it is sent.",
});

/** What the block says. */
export type SlowClientOptions = Values<typeof fields>;

/** A connector without the block. */
const DEFAULTS: SlowClientOptions = { queue: 1024 * 1024, policy: "disconnect", key: undefined };

/** What the block says, or what stands for it. */
export function slowClientOptions(written: SlowClientOptions | undefined): SlowClientOptions {
  return written ?? DEFAULTS;
}

/** What no single attribute of the block tells. */
export function checkSlowClient(written: SlowClientOptions | undefined): CodedProblem[] {
  const { policy, key } = slowClientOptions(written);
  if ((policy === "coalesce") === (key !== undefined)) return [];
  return [
    policy === "coalesce"
      ? {
        code: "missing-key",
        attribute: "slow_client",
        message: "coalesces the messages of slow clients without a key",
        hint: 'such as key = "output.id"',
      }
      : {
        code: "unused-attribute",
        attribute: "slow_client",
        message: `has a key for slow clients, but the policy ${JSON.stringify(policy)}`,
        hint: 'only policy = "coalesce" has a key',
      },
  ];
}
