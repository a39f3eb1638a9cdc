/** The `service` block: name, version and shutdown. */
import type { ServiceModel } from "../model/mod.ts";
import { attribute, readFields } from "../contract/fields.ts";
import { placesOf } from "../contract/places.ts";
import { duration, text, type ValueSchema } from "../contract/value-schema.ts";
import type { Loading } from "./loading.ts";
import { type Body, positionOf } from "../hcl/tree.ts";

/** Text that fits into a line of output. */
const line: ValueSchema<string> = {
  description: "text",
  parse(value) {
    const result = text({ maxLength: 255 }).parse(value);
    const good = "problem" in result ||
      (!/\p{Cc}/u.test(result.value) && /\S/.test(result.value));
    return good ? result : { problem: "must be one line of text, and not an empty one" };
  },
};

/** The attributes of the block. */
export const serviceFields = {
  name: attribute(line, {
    about: "The name of the service, for the first log line and `/health/live`.",
  }),
  version: attribute(line, {
    about: "Which version of it, beside its name.",
  }),
  shutdown_timeout: attribute(duration(), {
    about: "How long an end may take, from the signal to the last connection that is let go.",
    default: "30s",
  }),
  shutdown_spread: attribute(duration({ min: 0 }), {
    about: "The time over which an end spreads the closing of clients at random, so that they do " +
      "not all come back at once. Fewer than 20 clients of a connector take a part of it, a " +
      "twentieth each.",
    default: "2s",
  }),
};

/** Reads the `service` block, of which there is at most one. Without it, returns the defaults. */
export function readService(
  root: Body,
  { env, now, constants, report }: Pick<Loading, "env" | "now" | "constants" | "report">,
): ServiceModel {
  const [found, ...more] = root.blocks.filter(({ type }) => type === "service");
  for (const { span } of found?.labels ?? []) {
    report({ code: "unexpected-label", span, message: "service takes no label" });
  }
  for (const { headerSpan } of more) {
    const { file, line } = positionOf(found.headerSpan);
    const hint = `the first is at ${file}:${line}`;
    report({
      code: "duplicate-block",
      span: headerSpan,
      message: "there is a second service",
      hint,
    });
  }
  const body = found?.body ?? { attributes: [], blocks: [], span: root.span };
  const context = { subject: "service", variables: [], env, now, constants, report };
  const options = readFields(body, serviceFields, found?.headerSpan ?? root.span, context);
  const places = placesOf(options);
  if (places.has("shutdown_spread") && options.shutdown_spread > options.shutdown_timeout) {
    report({
      code: "invalid-limits",
      span: places.of("shutdown_spread"),
      message: "service has a shutdown_spread longer than its shutdown_timeout",
      hint: "clients must be closed before the time is over",
    });
  }
  return {
    name: options.name,
    version: options.version,
    shutdownTimeout: options.shutdown_timeout,
    shutdownSpread: options.shutdown_spread,
  };
}
