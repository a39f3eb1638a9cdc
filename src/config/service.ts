/** The `service` block: name, version, admin port, plugins, shutdown and traces. */
import * as v from "valibot";
import type { ServiceModel } from "../model/mod.ts";
import { attribute, readFields, type Values } from "../contract/fields.ts";
import { placesOf } from "../contract/places.ts";
import { duration, text, type ValueSchema, valueSchema } from "../contract/value-schema.ts";
import { adminFields, readAdmin } from "./admin.ts";
import type { Loading } from "./loading.ts";
import type { ListedPlugin } from "./plugins.ts";
import { type Body, itemPlaceOf, positionOf } from "../hcl/tree.ts";

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

const RATIO = "must be a number from 0 to 1\nsuch as 0.01";

/** A part of all. Text is read as a number, since variables of the environment are text. */
const ratio: ValueSchema<number> = valueSchema(
  "number from 0 to 1",
  v.pipe(
    v.unknown(),
    v.transform((value) =>
      typeof value === "string" && value.trim() !== "" ? Number(value) : value
    ),
    v.number(RATIO),
    v.minValue(0, RATIO),
    v.maxValue(1, RATIO),
  ),
);

const MODULES = 'must be a list of modules\nsuch as ["./redis.ts", "npm:weir-plugin-redis"]';

/** Names of modules. */
const modules: ValueSchema<readonly string[]> = valueSchema(
  "list of modules",
  v.array(v.pipe(v.string(MODULES), v.nonEmpty(MODULES)), MODULES),
);

/** The attributes of the block. */
export const serviceFields = {
  name: attribute(line, {
    about: "The name of the service, for the first log line and `/health/live`. Instances of one " +
      "name belong together where a connector has a `backplane`.",
  }),
  version: attribute(line, {
    about: "Which version of it, beside its name.",
  }),
  ...adminFields,
  plugins: attribute(modules, {
    about: "Modules that define more connector types: files relative to this one, such as " +
      "`./redis.ts`, and packages, such as `npm:weir-plugin-redis`. Their code runs with the " +
      "configuration.",
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
  trace_ratio: attribute(ratio, {
    about: "How many of the traces that begin here are recorded, if the program has an " +
      "OpenTelemetry SDK: 0.01 is one in a hundred. What is part of a sender's trace is recorded " +
      "if the sender records it.",
    default: 1,
  }),
};

/** What was read of the block. */
export interface ReadService {
  readonly service: ServiceModel;
  /** As written, for what is compared with other blocks. */
  readonly options: Values<typeof serviceFields>;
  readonly plugins: readonly ListedPlugin[];
  /** True if there may be plugins that could not be read. */
  readonly morePlugins: boolean;
}

/** Reads the `service` block, of which there is at most one. Without it, returns the defaults. */
export function readService(
  root: Body,
  { env, now, randomBytes, constants, declared, report }: Pick<
    Loading,
    "env" | "now" | "randomBytes" | "constants" | "declared" | "report"
  >,
): ReadService {
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
  const context = { subject: "service", variables: [], env, now, randomBytes, constants, report };
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
  const written = places.attribute("plugins");
  const plugins = options.plugins?.map((specifier, index): ListedPlugin => {
    const place = itemPlaceOf(written?.value as object, String(index));
    const span = place?.valueSpan ?? places.of("plugins");
    return { specifier, span, folder: places.of("plugins").file.folder };
  });
  return {
    service: {
      name: options.name,
      version: options.version,
      admin: readAdmin(options, report),
      shutdownTimeout: options.shutdown_timeout,
      shutdownSpread: options.shutdown_spread,
      traceRatio: options.trace_ratio,
    },
    options,
    plugins: plugins ?? [],
    morePlugins: (written !== undefined && plugins === undefined) ||
      places.misspelled.has("plugins") ||
      more.length > 0 || declared.mayMiss("service"),
  };
}
