/** Schemas for the plain values of attributes, made of valibot's. */
import * as v from "valibot";
import { amountsOf, type Unit, UNITS } from "../base/duration.ts";
import { didYouMean } from "../base/nearest.ts";
import { durationHint, hostHint, integerHint, oneHint, sizeHint, withHint } from "./value-hints.ts";

/** The result of checking a value: the value as it is used, or what is wrong with it. */
export type ValueResult<T> =
  | { readonly value: T }
  | {
    /** Completes a sentence that begins with the attribute's name: `must be true or false`. */
    readonly problem: string;
    /** What to do about it. */
    readonly hint?: string;
  };

/** Checks the value of an attribute. `text()`, `duration()` and the like make them. */
export interface ValueSchema<T> {
  /** What it takes, in words, such as `duration`. */
  readonly description: string;
  /** Checks and converts a value. */
  parse(value: unknown): ValueResult<T>;
}

/** A valibot schema as a value schema. The second line of a message, if it has one, is the hint. */
export function valueSchema<T>(
  description: string,
  schema: v.GenericSchema<unknown, T>,
): ValueSchema<T> {
  return {
    description,
    parse(value) {
      const result = v.safeParse(schema, value);
      if (result.success) return { value: result.output };
      const [problem, hint] = result.issues[0].message.split("\n");
      return { problem, ...(hint === undefined ? {} : { hint }) };
    },
  };
}

/** Text. A number becomes its text. */
export function text(options: { readonly maxLength?: number } = {}): ValueSchema<string> {
  const { maxLength = Infinity } = options;
  return valueSchema(
    "text",
    v.pipe(
      v.unknown(),
      v.transform((value) => typeof value === "number" ? String(value) : value),
      v.string(({ input }) => withHint("must be text in quotes", oneHint(input))),
      v.maxLength(maxLength, `must have at most ${maxLength} characters`),
    ),
  );
}

/** The name or the address of a network interface to listen on. */
export function listenHost(): ValueSchema<string> {
  return valueSchema(
    "text",
    v.pipe(
      v.string("must be text in quotes"),
      v.check(
        (value) => !value.includes("/") && !/^[^:]+:\d+$/.test(value),
        ({ input }) =>
          withHint(
            "must be a name or an address alone, without scheme, port and path",
            hostHint(input),
          ),
      ),
    ),
  );
}

/** Text or a list of texts, read as a list. */
export function textOrList(): ValueSchema<readonly string[]> {
  const message = "must be text in quotes, or a list of texts";
  const word = v.pipe(v.string(message), v.nonEmpty("must not be empty"));
  return valueSchema(
    "text or list",
    v.pipe(
      v.unknown(),
      v.transform((value) => typeof value === "string" ? [value] : value),
      v.array(word, message),
      v.nonEmpty("must not be empty"),
    ),
  );
}

/** One of the words in `known`. */
export function oneOf<const T extends string>(known: readonly T[]): ValueSchema<T> {
  const words = known.map((word) => JSON.stringify(word)).join(", ");
  return valueSchema(
    words,
    v.pipe(
      v.string("must be text in quotes"),
      v.rawTransform<string, T>(({ dataset: { value }, addIssue, NEVER }) => {
        const found = known.find((word) => word === value);
        if (found !== undefined) return found;
        const hint = didYouMean(value, known);
        addIssue({ message: `must be one of ${words}${hint === undefined ? "" : `\n${hint}`}` });
        return NEVER;
      }),
    ),
  );
}

/** A whole number; digits in text are taken too, since an environment holds nothing else. */
export function integer(
  options: { readonly min?: number; readonly max?: number } = {},
): ValueSchema<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const message = `must be a whole number ${range}`;
  return valueSchema(
    "number",
    v.pipe(
      v.unknown(),
      v.transform((value) =>
        typeof value === "string" && /^-?\d+$/.test(value.trim()) ? Number(value) : value
      ),
      v.number(({ input }) => withHint(message, integerHint(input))),
      v.integer(message),
      v.minValue(min, message),
      v.maxValue(max, message),
    ),
  );
}

/** True or false; the same words in text are taken too. */
export function flag(): ValueSchema<boolean> {
  return valueSchema(
    "true or false",
    v.pipe(
      v.unknown(),
      v.transform((value) => value === "true" ? true : value === "false" ? false : value),
      v.boolean("must be true or false"),
    ),
  );
}

/** The units of a duration in a configuration, the largest first. */
const DURATION_UNITS: readonly Unit[] = ["d", "h", "m", "s", "ms"];

/** The longest delay that the timers of all runtimes take: 24 days. */
const LONGEST_DELAY = 24 * 86_400_000;

/** Such as `"500ms"` or `"1h30m"`; converted to milliseconds. */
export function duration(
  options: { readonly min?: number; readonly max?: number } = {},
): ValueSchema<number> {
  const { min = 1, max = LONGEST_DELAY } = options;
  const message = 'must be a duration such as "500ms", "30s" or "1h30m"';
  return valueSchema(
    "duration",
    v.pipe(
      v.unknown(),
      v.rawTransform<unknown, number>(({ dataset: { value }, addIssue, NEVER }) => {
        const amounts = typeof value === "string" ? amountsOf(value) : undefined;
        if (amounts?.every(({ unit }) => DURATION_UNITS.includes(unit))) {
          return amounts.reduce(
            (sum, { whole, fraction, unit }) =>
              sum + Number(`${whole}.${fraction}`) * millisecondsIn(unit),
            0,
          );
        }
        addIssue({ message: withHint(message, durationHint(value)) });
        return NEVER;
      }),
      v.minValue(min, `must be at least ${shortest(min)}`),
      v.maxValue(max, `must be at most ${shortest(max)}`),
    ),
  );
}

/** A duration in the largest unit that it is a whole number of. */
function shortest(milliseconds: number): string {
  const unit = DURATION_UNITS.find((unit) => milliseconds % millisecondsIn(unit) === 0) ?? "ms";
  return `${milliseconds / millisecondsIn(unit)}${unit}`;
}

function millisecondsIn(unit: Unit): number {
  return Number(UNITS[unit] / UNITS.ms);
}

const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** Such as `"64KB"`, or a plain number of bytes; converted to bytes. */
export function size(
  options: { readonly min?: number; readonly max?: number } = {},
): ValueSchema<number> {
  const { min = 1, max = 1024 ** 3 } = options;
  const message = 'must be a size such as "64KB", or a number of bytes';
  return valueSchema(
    "size",
    v.pipe(
      v.unknown(),
      v.transform((value) => {
        if (typeof value !== "string") return value;
        const [, amount, unit = "B"] = /^(\d+)\s*(B|KB|MB|GB)?$/.exec(value) ?? [];
        return amount === undefined ? value : Number(amount) * BYTES[unit];
      }),
      v.number(({ input }) => withHint(message, sizeHint(input))),
      v.integer(message),
      v.minValue(min, `must be at least ${min} ${min === 1 ? "byte" : "bytes"}`),
      v.maxValue(max, `must be at most ${max} bytes`),
    ),
  );
}
