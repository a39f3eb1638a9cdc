/** Types for tests, read from a configuration's text. */
import { readTypes } from "../../src/config/types.ts";
import { problemAt, sortProblems } from "../../src/hcl/tree.ts";
import type { Problem } from "../../src/base/problem.ts";
import type { DataType } from "../../src/type/mod.ts";
import { readTexts, type World } from "../support/hcl.ts";
import { placed } from "../support/problems.ts";

/** Types by name, and the problems as `file:line:column+length message | hint`. */
export async function readTypeBlocks(
  text: string,
  options: World & { readonly elsewhere?: readonly string[] } = {},
): Promise<{ readonly types: ReadonlyMap<string, DataType>; readonly problems: string[] }> {
  const read = await readTexts([text], options);
  const problems: Problem[] = [...read.problems];
  const blocks = read.body.blocks.filter(({ type }) => type === "type");
  const types = readTypes(blocks.map((block) => [block.labels[0].text, block]), {
    mayExist: (name) => options.elsewhere?.includes(name) ?? false,
    report: (problem) => void problems.push(problemAt(problem)),
  });
  return { types, problems: sortProblems(problems).map(placed) };
}

/** The type `t` of a good configuration. */
export async function typeOf(text: string, world: World = {}): Promise<DataType> {
  const { types, problems } = await readTypeBlocks(text, world);
  const type = types.get("t");
  if (problems.length > 0 || type === undefined) {
    throw new Error(`not a good type t: ${problems.join("\n")}`);
  }
  return type;
}

/** A type with the single field `x`. */
export function fieldOf(written: string, world: World = {}): Promise<DataType> {
  return typeOf(`type "t" {\n  x = ${written}\n}\n`, world);
}

/** The violations as `path: message`; none where the value is good. */
export function violations(type: DataType, value: unknown): string[] {
  const checked = type.check(value);
  if ("value" in checked) return [];
  return checked.violations.map(({ path, message }) => `${path}: ${message}`);
}
