/** Unions: which type checks a value, and what is told of one that fits none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { typeOf, violations } from "./type-support.ts";

const SHAPES = `
  type "circle" {
    kind   = string({ enum = ["circle", "disc"] })
    radius = number({ min = 0 })
  }
  type "square" {
    kind = string({ enum = ["square"] })
    side = number
    name = string({ default = " Square ", trim = true, lower = true })
  }
`;

test("type union: the kind says which type checks, and its violations have the paths of the value", async () => {
  const type = await typeOf(`type "t" {\n  shapes = array(one_of(circle, square))\n}\n${SHAPES}`);
  const good = { shapes: [{ kind: "circle", radius: 1 }, { kind: "disc", radius: 2 }] };
  const checked = type.check(good);
  assert.ok("value" in checked && checked.value === good);
  assert.deepEqual(
    violations(type, {
      shapes: [
        { kind: "circle", radius: -1, side: 1 },
        { kind: "square" },
        { kind: "squar", side: 1 },
        { kind: "triangle", side: "1" },
        { radius: 1 },
        { kind: null },
        { kind: ["circle"] },
        "circle",
        null,
      ],
    }),
    [
      "shapes[0].radius: must be at least 0",
      "shapes[0].side: unknown field",
      "shapes[1].side: is missing",
      'shapes[2].kind: must be one of "circle", "disc", "square", did you mean "square"?',
      'shapes[3].kind: must be one of "circle", "disc", "square"',
      "shapes[4].kind: is missing",
      "shapes[5].kind: is missing",
      "shapes[6].kind: must be a string",
      "shapes[7]: must be an object",
      "shapes[8]: is missing",
    ],
  );
});

test("type union: a whole type can be one, by another field", async () => {
  const type = await typeOf(`
    type "t" {
      one_of = [created, deleted]
      by     = "event"
    }
    type "created" {
      event = string({ enum = ["created"] })
      title = string({ trim = true })
      open  = boolean({ default = true })
    }
    type "deleted" {
      event      = string({ enum = ["deleted"] })
      additional = true
    }
  `);
  assert.deepEqual([...type.fields], ["event", "title", "open"]);
  assert.equal(type.additional, true);
  assert.deepEqual(type.check({ event: "created", title: " a " }), {
    value: { event: "created", title: "a", open: true },
  });
  assert.deepEqual(violations(type, { event: "deleted", by: 1 }), []);
  assert.deepEqual(violations(type, { event: "created", title: 1, by: 1 }), [
    "title: must be a string",
    "by: unknown field",
  ]);
  assert.deepEqual(violations(type, { kind: "created" }), ["event: is missing"]);
  assert.deepEqual(violations(type, []), [": must be an object"]);
});

test("type union: fields called one_of and by are fields", async () => {
  const type = await typeOf('type "t" {\n  one_of = string\n  by = array(number)\n}\n');
  assert.deepEqual([...type.fields], ["one_of", "by"]);
  assert.deepEqual(violations(type, { one_of: "a", by: [1] }), []);
});

test("type union: defaults, text and absence work as in every kind", async () => {
  const type = await typeOf(`
    type "t" {
      first  = one_of(circle, square, { default = { kind = "square", side = 1 } })
      second = one_of(circle, square, { required = false })
    }
    ${SHAPES}
  `);
  const first = { kind: "square", side: 1, name: "square" };
  assert.deepEqual(type.check({}), { value: { first } });
  const second = { kind: "circle", radius: "2" };
  assert.deepEqual(type.check({ second }, new Set(["second"])), {
    value: { first, second: { kind: "circle", radius: 2 } },
  });
  assert.deepEqual(violations(type, { second }), ["second.radius: must be a number"]);
  const whole = await typeOf(`type "t" {\n  one_of = [circle, square]\n}\n${SHAPES}`);
  assert.deepEqual(whole.check(second, new Set(["kind", "radius"])), {
    value: { kind: "circle", radius: 2 },
  });
});

const TREE = `
  type "t" {
    one_of = [leaf, branch]
  }
  type "leaf" {
    kind  = string({ enum = ["leaf"] })
    value = number
  }
  type "branch" {
    kind  = string({ enum = ["branch"] })
    left  = t
    right = one_of(leaf, branch)
  }
`;

test("type union: a tree of its own types, down to the depth that JSON may have", async () => {
  const type = await typeOf(TREE);
  const tree = (depth: number): unknown =>
    depth === 0
      ? { kind: "leaf", value: "1" }
      : { kind: "branch", left: { kind: "leaf", value: 1 }, right: tree(depth - 1) };
  assert.deepEqual(violations(type, tree(60)), [`${"right.".repeat(60)}value: must be a number`]);
  assert.deepEqual(violations(type, { kind: "branch", left: { kind: "x" }, right: 1 }), [
    'left.kind: must be one of "leaf", "branch"',
    "right: must be an object",
  ]);
});

test("type union: hostile kinds are kinds that are not there", async () => {
  const type = await typeOf(`type "t" {\n  one_of = [circle, square]\n}\n${SHAPES}`);
  for (const kind of ["__proto__", "constructor", "toString", "", "x".repeat(500_000)]) {
    const [found, ...more] = violations(type, { kind, radius: 1 });
    assert.equal(found, 'kind: must be one of "circle", "disc", "square"');
    assert.deepEqual(more, []);
  }
  const inherited = JSON.parse('{"__proto__":{"kind":"circle"},"radius":1}');
  assert.deepEqual(violations(type, inherited), ["kind: is missing"]);
  const many = await typeOf(`type "t" {\n  x = array(one_of(circle, square))\n}\n${SHAPES}`);
  assert.equal(violations(many, { x: Array(100_000).fill({ kind: "x" }) }).length, 100);
});

test("type union: it takes what the type of that kind takes, and refuses what that type refuses", async () => {
  const text = `type "t" {\n  one_of = [circle, square]\n}\n${SHAPES}`;
  const union = await typeOf(text);
  const alone = {
    circle: await typeOf(
      text.replaceAll('"t"', '"u"').replaceAll('type "circle"', 'type "t"')
        .replace("[circle, square]", "[t, square]"),
    ),
    square: await typeOf(
      text.replaceAll('"t"', '"u"').replaceAll('type "square"', 'type "t"')
        .replace("[circle, square]", "[circle, t]"),
    ),
  };
  const values = fc.record({
    kind: fc.constantFrom("circle" as const, "square" as const),
    radius: fc.oneof(fc.integer({ min: -1 }), fc.string()),
    side: fc.integer(),
    name: fc.string(),
  }, { requiredKeys: ["kind"], noNullPrototype: true });
  fc.assert(fc.property(values, fc.boolean(), (value, isText) => {
    const names = isText ? new Set(Object.keys(value)) : undefined;
    const checked = union.check(value, names);
    assert.deepEqual(checked, alone[value.kind].check(value, names));
    if ("violations" in checked) return;
    const again = union.check(checked.value);
    assert.ok("value" in again && again.value === checked.value);
  }));
});
