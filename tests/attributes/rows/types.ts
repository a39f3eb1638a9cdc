/** What `type` blocks and the options of their fields let through, refuse and fill in. */
import type { Row } from "../row.ts";
import { ENDS, flow, FROM, inWorld, to } from "../support.ts";

/** An option of a kind, and what becomes of some values of a field without and with it. */
interface Option {
  readonly text: string;
  /** Values of the field; undefined leaves it out. */
  readonly values: readonly unknown[];
  /** For each value what is written, or what the sender is told of it. */
  readonly without: readonly unknown[];
  readonly with: readonly unknown[];
}

/** The options that every kind has. */
function common(
  given: unknown,
  written: string,
  filled: unknown,
): Readonly<Record<string, Option>> {
  return {
    required: {
      text: "required = false",
      values: [given, undefined],
      without: [{ f: given }, "f is missing"],
      with: [{ f: given }, {}],
    },
    default: {
      text: `default = ${written}`,
      values: [given, undefined],
      without: [{ f: given }, "f is missing"],
      with: [{ f: given }, { f: filled }],
    },
  };
}

const CAT = { kind: "cat", sound: "meow" };

/** The options of every kind, by the names of `OPTIONS` in `type-options.ts`. */
const kinds: Readonly<
  Record<
    string,
    { readonly write: (options: string) => string; readonly options: Record<string, Option> }
  >
> = {
  string: {
    write: (options) => `string({ ${options} })`,
    options: {
      ...common("abc", '"xyz"', "xyz"),
      trim: {
        text: "trim = true",
        values: [" ab\u3000", "ab"],
        without: [{ f: " ab\u3000" }, { f: "ab" }],
        with: [{ f: "ab" }, { f: "ab" }],
      },
      lower: {
        text: "lower = true",
        values: [" ÄB", "ab"],
        without: [{ f: " ÄB" }, { f: "ab" }],
        with: [{ f: " äb" }, { f: "ab" }],
      },
      format: {
        text: 'format = "email"',
        values: ["ann@example.com", "ann"],
        without: [{ f: "ann@example.com" }, { f: "ann" }],
        with: [{ f: "ann@example.com" }, "f must be an email address"],
      },
      pattern: {
        text: 'pattern = "^a"',
        values: ["abc", "bcd"],
        without: [{ f: "abc" }, { f: "bcd" }],
        with: [{ f: "abc" }, "f must match the pattern ^a"],
      },
      enum: {
        text: 'enum = ["red", "green"]',
        values: ["red", "blue"],
        without: [{ f: "red" }, { f: "blue" }],
        with: [{ f: "red" }, 'f must be one of "red", "green"'],
      },
      min_length: {
        text: "min_length = 2",
        values: ["ab", "a"],
        without: [{ f: "ab" }, { f: "a" }],
        with: [{ f: "ab" }, "f must have at least 2 characters"],
      },
      max_length: {
        text: "max_length = 2",
        values: ["ab", "abc"],
        without: [{ f: "ab" }, { f: "abc" }],
        with: [{ f: "ab" }, "f must have at most 2 characters"],
      },
    },
  },
  number: {
    write: (options) => `number({ ${options} })`,
    options: {
      ...common(3, "7", 7),
      min: {
        text: "min = 2",
        values: [2, 1],
        without: [{ f: 2 }, { f: 1 }],
        with: [{ f: 2 }, "f must be at least 2"],
      },
      max: {
        text: "max = 2",
        values: [2, 3],
        without: [{ f: 2 }, { f: 3 }],
        with: [{ f: 2 }, "f must be at most 2"],
      },
      enum: {
        text: "enum = [1, 2]",
        values: [2, 3],
        without: [{ f: 2 }, { f: 3 }],
        with: [{ f: 2 }, "f must be one of 1, 2"],
      },
    },
  },
  integer: {
    write: (options) => `integer({ ${options} })`,
    options: {
      ...common(3, "7", 7),
      min: {
        text: "min = 2",
        values: [2, 1],
        without: [{ f: 2 }, { f: 1 }],
        with: [{ f: 2 }, "f must be at least 2"],
      },
      max: {
        text: "max = 2",
        values: [2, 3],
        without: [{ f: 2 }, { f: 3 }],
        with: [{ f: 2 }, "f must be at most 2"],
      },
      enum: {
        text: "enum = [1, 2]",
        values: [2, 3],
        without: [{ f: 2 }, { f: 3 }],
        with: [{ f: 2 }, "f must be one of 1, 2"],
      },
    },
  },
  boolean: {
    write: (options) => `boolean({ ${options} })`,
    options: common(false, "true", true),
  },
  id: { write: (options) => `id({ ${options} })`, options: common(12, '"none"', "none") },
  array: {
    write: (options) => `array(string, { ${options} })`,
    options: {
      ...common(["a"], '["x", "y"]', ["x", "y"]),
      min_length: {
        text: "min_length = 1",
        values: [["a"], []],
        without: [{ f: ["a"] }, { f: [] }],
        with: [{ f: ["a"] }, "f must have at least 1 item"],
      },
      max_length: {
        text: "max_length = 1",
        values: [["a"], ["a", "b"]],
        without: [{ f: ["a"] }, { f: ["a", "b"] }],
        with: [{ f: ["a"] }, "f must have at most 1 item"],
      },
    },
  },
  object: {
    write: (options) => `object({ ${options} })`,
    options: common({ any: 1 }, "{ x = 2 }", { x: 2 }),
  },
  // An object whose fields are given.
  shape: {
    write: (options) => `object({ n = number }, { ${options} })`,
    options: {
      ...common({ n: 1 }, "{ n = 2 }", { n: 2 }),
      additional: {
        text: "additional = true",
        values: [{ n: 1 }, { n: 1, extra: 2 }],
        without: [{ f: { n: 1 } }, "f.extra unknown field"],
        with: [{ f: { n: 1 } }, { f: { n: 1, extra: 2 } }],
      },
    },
  },
  // Another type by its name.
  reference: {
    write: (options) => `other({ ${options} })`,
    options: common({ n: 1 }, "{ n = 2 }", { n: 2 }),
  },
  // One of several types.
  union: {
    write: (options) => `one_of(cat, dog, { ${options} })`,
    options: {
      ...common(CAT, '{ kind = "dog", sound = "woof" }', { kind: "dog", sound: "woof" }),
      by: {
        text: 'by = "sound"',
        values: [CAT, { ...CAT, kind: "dog" }, { ...CAT, sound: "woof" }],
        without: [{ f: CAT }, 'f.sound must be one of "woof"', 'f.sound must be one of "meow"'],
        with: [{ f: CAT }, 'f.kind must be one of "cat"', 'f.kind must be one of "dog"'],
      },
    },
  },
};

/** The rows of `type` blocks. */
export const typeRows: readonly Row[] = [
  {
    attribute: "type/NAME",
    text: "tags = array(string)",
    observe: (text) =>
      passed(`f = string\n${text}`, [{ f: "a", tags: ["b"] }, { f: "a", tags: 1 }]),
    without: ["tags unknown field", "tags unknown field"],
    with: [{ f: "a", tags: ["b"] }, "tags must be an array"],
  },
  {
    attribute: "type/additional",
    text: "additional = true",
    observe: (text) => passed(`f = string\n${text}`, [{ f: "a", extra: 1 }, { f: 2, extra: 1 }]),
    without: ["extra unknown field", "f must be a string, extra unknown field"],
    with: [{ f: "a", extra: 1 }, "f must be a string"],
  },
  {
    attribute: "type/one_of",
    text: "one_of = [cat, dog]",
    observe: (text) => passed(text === "" ? "kind = string" : text, [CAT, { kind: "cat" }]),
    without: ["sound unknown field", { kind: "cat" }],
    with: [CAT, "sound is missing"],
  },
  {
    attribute: "type/by",
    text: 'by = "sound"',
    observe: (text) => passed(`one_of = [cat, dog]\n${text}`, [CAT, { ...CAT, kind: "dog" }]),
    without: [CAT, 'sound must be one of "woof"'],
    with: [CAT, 'kind must be one of "cat"'],
  },
  ...Object.entries(kinds).flatMap(([kind, { write, options }]) =>
    Object.entries(options).map(([name, { text, values, ...outcomes }]): Row => ({
      attribute: `type/${kind}/${name}`,
      text,
      observe: (options) => {
        const events = values.map((f) => f === undefined ? {} : { f });
        return passed(`f = ${write(options)}`, events);
      },
      ...outcomes,
    }))
  ),
];

/** For each event what a flow writes that takes this type alone, or what its sender is told. */
function passed(fields: string, events: readonly unknown[]): Promise<readonly unknown[]> {
  const pet = (kind: string, sound: string) =>
    `type "${kind}" {\nkind = string({ enum = ["${kind}"] })\nsound = string({ enum = ["${sound}"] })\n}\n`;
  const others = `type "other" {\nn = number\n}\n${pet("cat", "meow")}${pet("dog", "woof")}`;
  const types = `${others}type "t" {\n${fields}\n}\n`;
  const body = `${FROM}\nvalidate {\ninput = "t"\n}\n${to("a")}`;
  return inWorld(ENDS + types + flow(body), async ({ emit, deliveries }) => {
    const outcomes: unknown[] = [];
    for (const event of events) {
      const told = await emit(event);
      outcomes.push(told === "done" ? deliveries.at(-1)?.payload : inWords(told));
    }
    return outcomes;
  });
}

/** The details of a refusal as `path message`. */
function inWords(told: unknown): string {
  const { error, details } = told as {
    readonly error: string;
    readonly details?: readonly { readonly path: string; readonly message: string }[];
  };
  if (error !== "validation_failed" || details === undefined) return error;
  return details.map(({ path, message }) => `${path} ${message}`).join(", ");
}
