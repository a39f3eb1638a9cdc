/** Random types against random values: a good one passes, one slip is found, nothing throws. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Random, seeded } from "../support/random.ts";
import { typeOf, violations } from "./type-support.ts";

const NAMES = ["a", "b", "items", "constructor", "__proto__", "toString", "ä"];

/** The types of a union. */
const UNION = `type "leaf" {
  kind        = string({ enum = ["leaf"] })
  constructor = number
}
type "branch" {
  kind   = string({ enum = ["branch", "__proto__"] })
  leaves = array(one_of(leaf, branch))
  next   = branch({ required = false })
}
`;

/** A type as it is written, and how values for it are made. */
interface Sample {
  readonly written: string;
  /** A value that fits. */
  good(): unknown;
  /** Fits nothing of this kind. */
  readonly wrong: unknown;
}

/** Some type; `required` is always left as it is. */
function sample(random: Random, depth: number): Sample {
  const leaves: Sample[] = [
    {
      written: "string({ max_length = 3 })",
      good: () => random.pick(["", "abc", "😀😀"]),
      wrong: 1,
    },
    { written: 'string({ enum = ["x", "y"] })', good: () => random.pick(["x", "y"]), wrong: "z" },
    { written: "number({ min = -1, max = 9 })", good: () => random.below(10), wrong: "1" },
    {
      written: "integer({ max = 9 })",
      good: () => random.pick([-(2 ** 53) + 1, -0, random.below(10)]),
      wrong: 1.5,
    },
    { written: "boolean", good: () => random.chance(0.5), wrong: 0 },
    { written: "id", good: () => random.pick<unknown>(["k", 7]), wrong: {} },
    { written: "object", good: () => ({ any: [1] }), wrong: [] },
    {
      written: "string({ trim = true, lower = true, max_length = 3 })",
      good: () => random.pick(["", "a b", "😀"]),
      wrong: 1,
    },
    {
      written: "one_of(leaf, branch)",
      good: () => {
        const leaf = { kind: "leaf", constructor: 1 };
        return random.chance(0.5) ? leaf : { kind: "branch", leaves: [leaf, leaf], next: null };
      },
      wrong: "leaf",
    },
  ];
  if (depth === 0 || random.chance(0.4)) return random.pick(leaves);
  if (random.chance(0.5)) {
    const item = sample(random, depth - 1);
    return {
      written: `array(${item.written}, { max_length = 4 })`,
      good: () => Array.from({ length: random.below(5) }, item.good),
      wrong: {},
    };
  }
  const fields = sampleFields(random, depth - 1);
  const written = [...fields].map(([name, field]) => `${name} = ${field.written}`).join(", ");
  return { written: `object({ ${written} })`, good: () => objectOf(fields), wrong: [] };
}

function sampleFields(random: Random, depth: number): Map<string, Sample> {
  const names = NAMES.filter(() => random.chance(0.5));
  return new Map(["k", ...names].map((name) => [name, sample(random, depth)]));
}

function objectOf(fields: ReadonlyMap<string, Sample>): unknown {
  return Object.fromEntries([...fields].map(([name, field]) => [name, field.good()]));
}

/** JSON of any kind, with names that types like to use. */
function anything(random: Random, depth: number): unknown {
  const leaves = [null, true, 0, -0, 1e300, "", "abc", "\ud800", "2026-02-30", "a@b.co"];
  if (depth === 0 || random.chance(0.3)) return random.pick(leaves);
  const items = Array.from({ length: random.below(5) }, () => anything(random, depth - 1));
  if (random.chance(0.4)) return items;
  return Object.fromEntries(items.map((item) => [random.pick([...NAMES, "k", "x y"]), item]));
}

for (let seed = 1; seed <= 60; seed++) {
  test(`type random: seed ${seed}`, async () => {
    const random = seeded(seed);
    const fields = sampleFields(random, 3);
    const lines = [...fields].map(([name, field]) => `  ${name} = ${field.written}\n`);
    const type = await typeOf(`type "t" {\n${lines.join("")}}\n${UNION}`);
    for (let round = 0; round < 20; round++) {
      const good = objectOf(fields);
      const before = JSON.stringify(good);
      const checked = type.check(good);
      assert.ok("value" in checked, `${lines.join("")} refuses ${before}`);
      assert.equal(checked.value, good);

      const [name, field] = random.pick([...fields]);
      const bad = Object.fromEntries(
        Object.entries(good as object).map(([key, x]) => [key, key === name ? field.wrong : x]),
      );
      const found = violations(type, bad);
      assert.equal(found.length, 1, `${lines.join("")} takes ${JSON.stringify(bad)}`);
      assert.ok(found[0].startsWith(`${name}: must be `), found[0]);

      const value = anything(random, 4);
      const text = JSON.stringify(value);
      const result = type.check(value);
      assert.ok("value" in result || result.violations.length > 0);
      assert.equal(JSON.stringify(value), text, "nothing is changed");
    }
  });
}
