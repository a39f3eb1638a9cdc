/** docs/types.md says what types do. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { OPTIONS } from "../../src/config/type-options.ts";
import { FORMATS } from "../../src/type/formats.ts";
import { fieldOf, readTypeBlocks, violations } from "./type-support.ts";

const PAGE = readFileSync(new URL("../../docs/types.md", import.meta.url), "utf8");

/** The first block of code in a language below a heading. */
function example(language: string, heading: string): string {
  const section = `\n${PAGE}`.split(`\n${heading}\n`, 2).at(1) ?? "";
  const code = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section)?.[1];
  assert.ok(section !== "" && code !== undefined, `no example in ${language} below ${heading}`);
  return code;
}

test("types page: its example is refused as it says", async () => {
  const { types, problems } = await readTypeBlocks(example("hcl", "# Types"));
  assert.deepEqual(problems, []);
  const order = {
    id: 7,
    email: "ada",
    tags: [],
    lines: [{ sku: "AB-1", count: 0 }, { count: 1 }],
    to: { street: 5, city: "London" },
    size: { width: 1, height: 2 },
    nite: "",
  };
  assert.deepEqual(types.get("order")?.check(order), {
    violations: JSON.parse(example("json", "## Violations")),
  });
});

test("types page: its unions are checked as it says", async () => {
  const { types, problems } = await readTypeBlocks(example("hcl", "## Unions"));
  const shown = /violations of\s`(.*?)`/.exec(PAGE)?.[1];
  assert.ok(shown !== undefined);
  const violations = JSON.parse(example("json", "## Unions"));
  assert.deepEqual(problems, []);
  assert.deepEqual(types.get("drawing")?.check(JSON.parse(shown)), { violations });

  const whole = example("hcl", "A whole type can be a union. It has no fields of its own:");
  const changes = await readTypeBlocks(whole);
  const value = { event: "deleted", id: 7 };
  assert.deepEqual(changes.problems, []);
  assert.deepEqual(changes.types.get("change")?.check(value), { value });
});

test("types page: the parameters of its URL are converted as it says", async () => {
  const { types } = await readTypeBlocks(example("hcl", "## Parameters of a URL"));
  const sent = { shelf: "7", limit: "20", exact: "true", tags: "new" };
  const value = JSON.parse(example("json", "## Parameters of a URL"));
  assert.deepEqual(types.get("search")?.check(sent, new Set(Object.keys(sent))), { value });
});

test("types page: its string is trimmed and in lower case", async () => {
  const { types } = await readTypeBlocks(example("hcl", "## Options"));
  const [, sent, stored] = /takes `(".*")`[^]*gets\n`(".*")`/.exec(PAGE) ?? [];
  const value = { email: JSON.parse(stored) };
  assert.deepEqual(types.get("signup")?.check({ email: JSON.parse(sent) }), { value });
});

test("types page: the example of each format is one", async () => {
  for (const format of Object.keys(FORMATS)) {
    const x = new RegExp(`^\\| \`${format}\` .*\\| \`([^\`]+)\` +\\|$`, "m").exec(PAGE)?.[1];
    assert.ok(x !== undefined, `no example of ${format}`);
    assert.deepEqual(violations(await fieldOf(`string({ format = "${format}" })`), { x }), []);
  }
});

test("types page: it names every option with the kinds that have it", () => {
  const rows: Readonly<Record<keyof typeof OPTIONS, string>> = {
    string: "`string`",
    number: "`number`",
    integer: "`integer`",
    boolean: "`boolean`",
    id: "`id`",
    object: "`object`",
    shape: "`object({ … }, { options })`",
    array: "`array(item, { options })`",
    union: "`one_of(type, …, { options })`",
    reference: "the name of a type, as `address`",
  };
  for (const [kind, options] of Object.entries(OPTIONS)) {
    const start = `| ${rows[kind as keyof typeof OPTIONS]} `;
    const row = PAGE.split("\n").find((line) => line.startsWith(start));
    const cell = row?.split("|").at(-2) ?? "";
    const named = [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    assert.deepEqual(["required", "default", ...named], Object.keys(options), kind);
  }
});
