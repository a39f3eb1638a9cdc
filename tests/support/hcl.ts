/** Reads HCL texts in tests. */

import { readFiles, type ReadOptions, type ReadResult } from "../../src/hcl/mod.ts";
import type { Body, Span } from "../../src/hcl/tree.ts";
import { placed } from "./problems.ts";

/** The environment and the files that the texts in tests may use. */
export interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** Reads texts as the files `a.hcl`, `b.hcl` and so on of the folder `/conf`. */
export function readTexts(texts: readonly string[], world: World = {}): Promise<ReadResult> {
  const files = texts.map((text, index) => ({
    path: `${String.fromCharCode(97 + index)}.hcl`,
    text,
    folder: "/conf",
  }));
  return readFiles(files, optionsOf(world));
}

/** The value of `x = WRITTEN`; fails where there are problems. */
export async function valueOf(written: string, world: World = {}): Promise<unknown> {
  const { body, problems } = await readTexts([`x = ${written}\n`], world);
  if (problems.length > 0) throw new Error(problems.map(placed).join("\n"));
  return body.attributes[0].value;
}

/** The text that a span covers. */
export function covered({ file, start, end }: Span): string {
  return file.text.slice(start, end);
}

/** A body as nested lists in the order written, values as they are. */
export function outline(body: Body): unknown[] {
  const attributes = body.attributes.map(({ name, value, nameSpan }) => ({
    start: nameSpan.start,
    item: [name, value] as unknown,
  }));
  const blocks = body.blocks.map(({ type, labels, typeSpan, body }) => ({
    start: typeSpan.start,
    item: [type, ...labels.map(({ text }) => text), outline(body)] as unknown,
  }));
  return [...attributes, ...blocks].sort((a, b) => a.start - b.start).map(({ item }) => item);
}

function optionsOf({ env = {}, files = {} }: World): ReadOptions {
  const variables = new Map(Object.entries(env));
  const texts = new Map(Object.entries(files));
  return {
    env: (name) => variables.get(name),
    readFile: (path) => {
      const text = texts.get(path);
      if (text === undefined) throw new Error(`no such file: ${path}`);
      return text;
    },
  };
}
