import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { BLOCKS } from "../../src/config/declared.ts";
import { allAttributes } from "./attributes.ts";
import type { Row } from "./row.ts";

const folder = new URL("./", import.meta.url);
const names = (await readdir(new URL("rows/", folder))).filter((name) => name.endsWith(".ts"));

/** Every row that a module of `rows` exports in a list. */
async function rowsOf(name: string): Promise<readonly Row[]> {
  const module: Readonly<Record<string, unknown>> = await import(
    new URL(`rows/${name}`, folder).href
  );
  return Object.values(module).filter(Array.isArray).flat().filter(isRow);
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && "attribute" in value && "observe" in value;
}

test("a row stands for every attribute of the schemas, and for nothing else", async () => {
  const covered = new Set(
    (await Promise.all(names.map(rowsOf))).flat().map((row) => row.attribute),
  );
  const all = new Set(allAttributes());
  assert.deepEqual([...all].filter((name) => !covered.has(name)), [], "these have no row");
  assert.deepEqual([...covered].filter((name) => !all.has(name)), [], "no schema has these");
});

test("no attribute goes by the name of another one", () => {
  const all = allAttributes();
  assert.deepEqual(all.filter((name, index) => all.indexOf(name) !== index), []);
});

test("a test runs the rows of every file", async () => {
  const tests = (await readdir(folder)).filter((name) => name.endsWith(".test.ts"));
  const texts = await Promise.all(tests.map((name) => readFile(new URL(name, folder), "utf8")));
  const run = names.filter((name) =>
    texts.some((text) => text.includes(`from "./rows/${name}"`) && text.includes("testRows("))
  );
  assert.deepEqual(run, names);
});

test("every kind of block at the top level has rows", () => {
  const kinds = new Set(allAttributes().map((name) => name.split(/[ /]/)[0]));
  assert.deepEqual(BLOCKS.filter((kind) => !kinds.has(kind)), []);
});
