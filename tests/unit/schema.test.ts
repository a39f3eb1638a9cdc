import assert from "node:assert/strict";
import { test } from "node:test";
import type { Expression } from "../../src/expression/mod.ts";
import {
  expression,
  expressionMap,
  expressions,
  target,
} from "../../src/contract/expression-fields.ts";
import { attribute, block, blocks, path } from "../../src/contract/fields.ts";
import {
  duration,
  flag,
  integer,
  oneOf,
  size,
  text,
  type ValueSchema,
} from "../../src/contract/value-schema.ts";
import {
  connectorWith,
  failuresOf,
  filesOf,
  optionsOf,
  problemsOf,
  withFields,
} from "../support/config.ts";
import { placed } from "../support/problems.ts";

const about = "For the test.";

/** A schema, values that it takes with what it makes of them, and what it refuses by kind of mistake. */
interface Case {
  readonly schema: ValueSchema<unknown>;
  readonly good: ReadonlyArray<readonly [written: string, value: unknown]>;
  readonly bad: readonly (readonly string[])[];
}

const cases: Readonly<Record<string, Case>> = {
  text: {
    schema: text(),
    good: [
      ['"a"', "a"],
      ['""', ""],
      ["5", "5"],
      ["1.50", "1.5"],
      ["<<E\na\nE", "a\n"],
      ['env("WORD")', "word"],
    ],
    bad: [["true", "null", '["a"]', "{ a = 1 }"]],
  },
  "text of at most 3": {
    schema: text({ maxLength: 3 }),
    good: [['"abc"', "abc"], ["123", "123"]],
    bad: [['"abcd"', "1234"]],
  },
  oneOf: {
    schema: oneOf(["fast", "slow"]),
    good: [['"fast"', "fast"], ['"sl${"ow"}"', "slow"]],
    bad: [
      ['"medium"', '""', '"__proto__"', '"toString"'],
      ['"fst"', '"Fast"'],
      ["1", "true", '["fast"]', "null"],
    ],
  },
  integer: {
    schema: integer(),
    good: [["0", 0], ["7", 7], ["7.0", 7], ['"7"', 7], ['" 7 "', 7], [
      'env("NUMBER")',
      42,
    ]],
    bad: [[
      ...["-1", "1.5", '"-1"', '"1.5"', '"1e3"', '"0x10"', '""', '"seven"', "true", "null", "[7]"],
      ...["1e300", "9007199254740992", '"99999999999999999999"', "{ n = 7 }"],
    ]],
  },
  "integer from 1 to 10": {
    schema: integer({ min: 1, max: 10 }),
    good: [["1", 1], ["10", 10]],
    bad: [["0", "11", '"11"']],
  },
  flag: {
    schema: flag(),
    good: [["true", true], ["false", false], ['"true"', true], ['"false"', false], [
      "1 == 1",
      true,
    ]],
    bad: [['"yes"', '"TRUE"', '""', "1", "0", "null", "[true]"]],
  },
  duration: {
    schema: duration(),
    good: [
      ['"1ms"', 1],
      ['"500ms"', 500],
      ['"30s"', 30_000],
      ['"5m"', 300_000],
      ['"1h30m"', 5_400_000],
      ['"2d"', 172_800_000],
      ['"1.5s"', 1500],
      ['"1d1h1m1s1ms"', 90_061_001],
      ['"24d"', 2_073_600_000],
    ],
    bad: [
      [
        ...['""', '"30"', "30", '"s"', '"-1s"', '"1 s"', '"1s "', '"1w"', '"1S"', '"1e3ms"'],
        ...['".5s"', '"1h 30m"', '"1s!"', "null", "true", '["1s"]', `"${"1s".repeat(1000)}x"`],
      ],
      ['"0s"', '"0.5ms"', '"0ms"'],
      ['"25d"', '"999999999999999999999h"'],
    ],
  },
  size: {
    schema: size(),
    good: [
      ['"1B"', 1],
      ['"64KB"', 65_536],
      ['"64 KB"', 65_536],
      ['"1MB"', 1_048_576],
      ['"1GB"', 1_073_741_824],
      ["1000", 1000],
      ['"1000"', 1000],
    ],
    bad: [
      [
        ...['""', '"KB"', '"1.5MB"', '"64kb"', '"1TB"', '"-1KB"', "1.5", "null", "true"],
        ...['["64KB"]', "[64]", "{ b = 1 }", '"1KB1KB"'],
      ],
      ["0", '"0KB"', "-5"],
      ['"2GB"', "1073741825"],
    ],
  },
};

const env = (name: string) => new Map([["WORD", "word"], ["NUMBER", "42"]]).get(name);

for (const [name, { schema, good, bad }] of Object.entries(cases)) {
  const fields = { value: attribute(schema, { about }) };

  test(`${name}: what it takes`, async () => {
    for (const [written, value] of good) {
      const options = await optionsOf(fields, `value = ${written}`, { env });
      assert.deepEqual(options, { value }, written);
    }
  });

  test(`${name}: what it refuses`, async () => {
    const sentences: string[] = [];
    for (const values of bad) {
      const own = new Set<string>();
      let hint: string | undefined;
      for (const written of values) {
        const found = await failuresOf(connectorWith(`  value = ${written}`), withFields(fields));
        const expected = `config.hcl:3:11+${[...written].length} invalid-value`;
        assert.deepEqual(found.map(placed), [expected], written);
        own.add(found[0].message);
        // What to write instead depends on the value.
        hint ??= String(found[0].hint);
      }
      assert.equal(own.size, 1, [...own].join("\n"));
      sentences.push(`${[...own]} ${hint}`);
    }
    assert.equal(new Set(sentences).size, bad.length, sentences.join("\n"));
  });
}

test("a schema says what it takes, in words", () => {
  const words = [text(), integer(), flag(), duration(), size(), oneOf(["a", "b"])]
    .map(({ description }) => description);
  assert.deepEqual(words, ["text", "number", "true or false", "duration", "size", '"a", "b"']);
});

test("an attribute that is left out is undefined, or its default", async () => {
  const fields = {
    none: attribute(text(), { about }),
    wait: attribute(duration(), { about, default: "1h" }),
    count: attribute(integer(), { about, default: 3 }),
    on: attribute(flag(), { about, default: false }),
  };
  assert.deepEqual(await optionsOf(fields, ""), {
    none: undefined,
    wait: 3_600_000,
    count: 3,
    on: false,
  });
  assert.deepEqual(await optionsOf(fields, 'none = "a"\nwait = "1ms"\ncount = 0\non = true'), {
    none: "a",
    wait: 1,
    count: 0,
    on: true,
  });
  assert.deepEqual(
    Object.values(fields).map((field) => [field.required, field.default]),
    [[false, undefined], [false, '"1h"'], [false, "3"], [false, "false"]],
  );
});

test("a default that its own schema refuses is a mistake of the connector's author", () => {
  assert.throws(() => attribute(duration(), { about, default: "soon" }), {
    name: "TypeError",
    message: /^the default "soon" must be a duration/,
  });
});

test("a required attribute: missing is told at the block, a failed value only once", async () => {
  const options = withFields({ value: attribute(text(), { about, required: true }) });
  assert.deepEqual(await problemsOf(connectorWith(""), options), [
    "config.hcl:1:1+13 missing-attribute",
  ]);
  assert.deepEqual(await problemsOf(connectorWith('  value = env("NO")'), options), [
    "config.hcl:3:11+9 env-not-set",
  ]);
});

test("what a block does not have is a problem, never ignored", async () => {
  const options = withFields({
    value: attribute(text(), { about }),
    limits: block({ most: attribute(integer(), { about }) }, { about }),
  });
  const found: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    ["  vlue = 1", "config.hcl:3:3+4 unknown-attribute"],
    ["  other = 1", "config.hcl:3:3+5 unknown-attribute"],
    [
      "  __proto__ = 1",
      "config.hcl:3:3+9 unknown-attribute",
    ],
    [
      "  toString = 1",
      "config.hcl:3:3+8 unknown-attribute",
    ],
    ["  value {\n  }", "config.hcl:3:3+5 unknown-block"],
    [
      "  limits = {}",
      "config.hcl:3:3+6 unknown-attribute",
    ],
    ["  limit {\n  }", "config.hcl:3:3+5 unknown-block"],
    [
      "  limits {\n    mst = 1\n  }",
      "config.hcl:4:5+3 unknown-attribute",
    ],
    [
      "  limits {\n    most = -1\n  }",
      "config.hcl:4:12+2 invalid-value",
    ],
    ['  limits "a" {\n  }', "config.hcl:3:10+3 unexpected-label"],
    [
      "  limits {\n  }\n  limits {\n  }\n  limits {\n  }",
      "config.hcl:5:3+6 duplicate-block",
      "config.hcl:7:3+6 duplicate-block",
    ],
    [
      "  a = 1\n  b {\n  }\n  value = true",
      "config.hcl:3:3+1 unknown-attribute",
      "config.hcl:4:3+1 unknown-block",
      "config.hcl:6:11+4 invalid-value",
    ],
  ];
  for (const [body, ...problems] of found) {
    assert.deepEqual(await problemsOf(connectorWith(body), options), problems, body);
  }
});

test("block and blocks", async () => {
  const most = attribute(integer(), { about, default: 1 });
  const fields = {
    one: block({ most }, { about }),
    many: blocks({ most, inner: block({ most }, { about }) }, { about }),
  };
  assert.deepEqual(await optionsOf(fields, ""), { one: undefined, many: [] });
  assert.deepEqual(
    await optionsOf(
      fields,
      "one { most = 5 }\nmany { most = 6 }\nmany {\n inner {\n }\n}\nmany { most = 7 }",
    ),
    {
      one: { most: 5 },
      many: [
        { most: 6, inner: undefined },
        { most: 1, inner: { most: 1 } },
        { most: 7, inner: undefined },
      ],
    },
  );
});

test("a path is relative to the folder of its file", async () => {
  const folders: ReadonlyArray<readonly [folder: string, written: string, found: string]> = [
    ["/conf", "data", "/conf/data"],
    ["/conf/", "./data/x", "/conf/data/x"],
    ["/", "data", "/data"],
    ["", "data", "./data"],
    [".", "data", "./data"],
    ["/conf", "../data", "/conf/../data"],
    ["/conf", "/data", "/data"],
    ["/conf", "C:\\data", "C:\\data"],
    ["C:\\conf\\", "data", "C:\\conf/data"],
  ];
  const fields = { folder: path({ about }) };
  const { loadConfig } = await import("../../src/runtime/load.ts");
  for (const [folder, written, found] of folders) {
    const source = connectorWith(`folder = ${JSON.stringify(written)}`);
    const model = await loadConfig([{ path: "a.hcl", text: source, folder }], withFields(fields));
    assert.deepEqual(model.connectors.get("x")?.options, { folder: found });
  }
  assert.deepEqual(await optionsOf(fields, ""), { folder: undefined });
  assert.deepEqual(await problemsOf(connectorWith("  folder = true"), withFields(fields)), [
    "config.hcl:3:12+4 invalid-value",
  ]);
});

test("expressions are compiled with the variables of their field", async () => {
  const fields = {
    filter: expression({ about, variables: ["room"] }),
    params: expressionMap({ about }),
    body: expressions({ about, variables: ["output"] }),
    target: target({ about }),
  };
  const none = { filter: undefined, params: undefined, body: undefined, target: undefined };
  assert.deepEqual(await optionsOf(fields, ""), none);

  const options = await optionsOf(
    fields,
    [
      `filter = "room == constants.room"`,
      `params = { a = "1 + 1", "__proto__" = "2", "b c" = "constants.room" }`,
      "body {",
      `  z = "output.q"`,
      `  a = "upper(constants.room)"`,
      "}",
      "}",
      "constants {",
      `  room = "r"`,
    ].join("\n"),
  );
  const scope = { room: "r", constants: { room: "r" }, output: { q: 7 } };
  const value = (item: unknown) => (item as Expression).evaluate(scope);
  assert.equal(value(options.filter), true);
  assert.deepEqual(
    Object.entries(options.params as object).map(([name, item]) => [name, value(item)]),
    [["a", 2], ["__proto__", 2], ["b c", "r"]],
  );
  assert.deepEqual(
    (options.body as [string, unknown][]).map(([name, item]) => [name, value(item)]),
    [["z", 7], ["a", "R"]],
  );
});

test("target: a name, or an expression where the text mentions a variable", async () => {
  const names = ["plain", "constants", "a.b", "orders.constants.x", "constant.x", "5"];
  for (const written of names.filter((name) => name !== "constants")) {
    const options = await optionsOf({ target: target({ about }) }, `target = "${written}"`);
    assert.equal(options.target, written);
  }
  for (
    const written of [
      "constants",
      "constants.map(name, name)",
      "constants['a' + 'b']",
      "'constants.x'",
      "'plain'",
    ]
  ) {
    const options = await optionsOf({ target: target({ about }) }, `target = "${written}"`);
    assert.equal((options.target as Expression).source, written);
  }
  assert.equal((await optionsOf({ target: target({ about }) }, "target = 5")).target, "5");
});

test("a constant that there is not is told at its place, unless a broken file may have it", async () => {
  const options = withFields({ one: expression({ about }), map: expressionMap({ about }) });
  const config = "constants {\n  limit = 5\n}\n" + connectorWith(
    '  one = "1 + constants.limti"\n  map = { a = "constants[\'x\']", b = "constants.limit" }',
  );
  assert.deepEqual(await problemsOf(config, options), [
    "config.hcl:6:14+15 unknown-constant",
    "config.hcl:7:15+16 unknown-constant",
  ]);
  const files = filesOf({ "a.hcl": config, "b.hcl": "constants {" });
  const problems = await problemsOf(files, options);
  assert.deepEqual(problems.filter((problem) => problem.includes('constant "')), []);
});

test("a mistake in an expression is told at its place inside the text", async () => {
  const options = withFields({
    filter: expression({ about }),
    params: expressionMap({ about }),
    body: expressions({ about }),
    target: target({ about }),
  });
  const found: ReadonlyArray<readonly [body: string, ...problems: string[]]> = [
    [
      `  filter = "1 == inptu.a"`,
      "config.hcl:3:18+5 unknown-variable",
    ],
    [
      `  filter = "constant.a == 1"`,
      "config.hcl:3:13+8 unknown-variable",
    ],
    [
      `  filter = "trm('a')"`,
      "config.hcl:3:13+3 unknown-function",
    ],
    // An escape moves what follows, so the whole value is underlined.
    [
      `  filter = "\\"a\\" == nope"`,
      "config.hcl:3:12+15 unknown-variable",
    ],
    ["  filter = true", "config.hcl:3:12+4 invalid-value"],
    ["  filter = 1", "config.hcl:3:12+1 invalid-value"],
    [
      `  target = "constants.a +* 1"`,
      "config.hcl:3:26+1 expression-syntax",
    ],
    ["  target = true", "config.hcl:3:12+4 invalid-value"],
    [`  params = "a"`, "config.hcl:3:12+3 invalid-value"],
    [`  params = ["a"]`, "config.hcl:3:12+5 invalid-value"],
    ["  params = null", "config.hcl:3:12+4 invalid-value"],
    [
      `  params = { a = "nope", b = 1, c = "2" }`,
      "config.hcl:3:19+4 unknown-variable",
      "config.hcl:3:30+1 invalid-value",
    ],
    [
      `  body {\n    a = "nope"\n    b = 2\n    c {\n    }\n  }`,
      "config.hcl:4:10+4 unknown-variable",
      "config.hcl:5:9+1 invalid-value",
      "config.hcl:6:5+1 unknown-block",
    ],
    [`  body "x" {\n  }`, "config.hcl:3:8+3 unexpected-label"],
    [
      "  body {\n  }\n  body {\n  }",
      "config.hcl:5:3+4 duplicate-block",
    ],
  ];
  for (const [body, ...problems] of found) {
    assert.deepEqual(await problemsOf(connectorWith(body), options), problems, body);
  }
});

test("every file keeps its own folder and its own name in problems", async () => {
  const source = filesOf({
    "one.hcl": 'connector "a" {\n  type = "probe"\n  folder = "x"\n}\n',
    "two.hcl": 'connector "b" {\n  type = "probe"\n  fodler = "x"\n}\n',
  });
  assert.deepEqual(await problemsOf(source, withFields({ folder: path({ about }) })), [
    "two.hcl:3:3+6 unknown-attribute",
  ]);
});
