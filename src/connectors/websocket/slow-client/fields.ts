/** The `slow_client` block: what happens to a client that reads more slowly than it is sent to. */
import type { CodedProblem } from "../../../contract/definition.ts";
import { expression } from "../../../contract/expression-fields.ts";
import { attribute, block, type Values } from "../../../contract/fields.ts";
import { oneOf, size } from "../../../contract/value-schema.ts";

const fields = {
  queue: attribute(size({ min: 1024 }), {
    about:
      "The maximum size of what waits for one client, beside what the kernel has taken, and so " +
      "of one message.",
    default: "1MB",
  }),
  policy: attribute(oneOf(["disconnect", "drop_oldest", "coalesce"]), {
    about:
      "What to do when more waits: `disconnect` closes the connection with 1013, `drop_oldest` " +
      "drops the oldest messages and sends their number, `coalesce` keeps only the newest message of " +
      "each `key`.",
    default: "disconnect",
  }),
  key: expression({
    about:
      "For `coalesce`: messages with the same key replace each other. Sees `output` (the message), " +
      "`room` and `input`. A message whose key is null replaces none.",
    variables: ["output", "room", "input"],
  }),
};

/** The `slow_client` block of the connector. */
export const slowClientField = block(fields, {
  about: "What happens to a client that reads too slowly.",
});

/** The options of the block. */
export type SlowClientOptions = Values<typeof fields>;

/** The options of a connector without the block. */
const DEFAULTS: SlowClientOptions = { queue: 1024 * 1024, policy: "disconnect", key: undefined };

/** The options of the block, or the defaults. */
export function slowClientOptions(written: SlowClientOptions | undefined): SlowClientOptions {
  return written ?? DEFAULTS;
}

/** Checks the attributes of the block together. */
export function checkSlowClient(written: SlowClientOptions | undefined): CodedProblem[] {
  const { policy, key } = slowClientOptions(written);
  if ((policy === "coalesce") === (key !== undefined)) return [];
  return [
    policy === "coalesce"
      ? {
        code: "missing-key",
        attribute: "slow_client",
        message: 'has slow_client with the policy "coalesce" and no key',
        hint: 'add one, such as key = "output.id"',
      }
      : {
        code: "unused-attribute",
        attribute: "slow_client",
        message: `has slow_client with a key, which the policy ${
          JSON.stringify(policy)
        } does not use`,
        hint: 'only policy = "coalesce" uses it',
      },
  ];
}
