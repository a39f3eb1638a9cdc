/** Damaged files: reading gives problems or a tree, and agrees with the HCL parser on both. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@cdktf/hcl2json";
import type { Body } from "../../src/hcl/tree.ts";
import { readTexts } from "../support/hcl.ts";
import { place, placed } from "../support/problems.ts";
import { isOurs } from "../support/shares.ts";

const text = `# ä😀
connector "ws" {
  type = "web\${"so\${"ck"}"}et" /* } */
  port = env("PORT", 3000) + 1
  room "a:*" { join = "x == '}'" }
  sql  = <<-EOT
    SELECT "{" \${constants.a}
      $\${x} é
  EOT
  l    = [1, { "b" = [true, null], c = -2 }] // ]
}
constants { a = "\\u00e4\\"" }
type "t" { id = string({ min = 1 }) }
`;

/** Repeatable pseudo-random numbers from 0 to 1 (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The names of a body as hcl2json nests them; undefined where one hides another. */
function names(body: Body): unknown {
  const found = new Map<string, unknown>();
  for (const { name } of body.attributes) found.set(name, "value");
  for (const block of body.blocks) {
    const key = [block.type, ...block.labels.map((label) => label.text)].join("\n");
    const earlier = found.get(key);
    found.set(key, [...(Array.isArray(earlier) ? earlier : []), names(block.body)]);
  }
  return Object.fromEntries([...found].sort(([a], [b]) => a < b ? -1 : 1));
}

/** The same from hcl2json's result, along the tree that was read. */
function parsedNames(json: unknown, body: Body): unknown {
  assert.ok(typeof json === "object" && json !== null);
  const own = (object: object, key: string): unknown =>
    Object.getOwnPropertyDescriptor(object, key)?.value;
  const found = new Map<string, unknown>();
  for (const key of Object.keys(json)) {
    const blocks = body.blocks.filter((block) => block.type === key);
    if (blocks.length === 0) found.set(key, "value");
    for (
      const path of new Set(blocks.map(({ labels }) => labels.map(({ text }) => text).join("\n")))
    ) {
      const same = blocks.filter(({ labels }) =>
        labels.map(({ text }) => text).join("\n") === path
      );
      const list: unknown = same[0].labels.reduce<unknown>(
        (inner, { text }) => own(Object(inner), text),
        own(json, key),
      );
      assert.ok(Array.isArray(list));
      const entries = list.map((entry: unknown, index) => parsedNames(entry, same[index].body));
      found.set([key, ...same[0].labels.map(({ text }) => text)].join("\n"), entries);
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Reads a damaged text and holds the outcome against the parser's own. */
async function examine(damaged: string): Promise<void> {
  const result = await readTexts([damaged]);
  const parsed = await parse("x", damaged).then((json) => ({ json }), (error) => ({ error }));
  const lines = damaged.split("\n");
  for (const problem of result.problems) {
    assert.equal(problem.source, (lines[problem.line - 1] ?? "").replace(/\r$/, ""));
    assert.ok(problem.column >= 1 && problem.column <= [...problem.source].length + 2);
    const shown = `${place(problem)} ${problem.message} ${problem.hint ?? ""}`;
    assert.ok(!/undefined|NaN|<config>|internal/.test(shown), shown);
  }
  if ("json" in parsed) {
    assert.deepEqual(result.broken, []);
    assert.deepEqual(names(result.body), parsedNames(parsed.json, result.body));
  } else if (/parse config/.test(String(parsed.error))) {
    assert.ok(result.broken.length === 1 && result.problems.length > 0);
  }
}

test("a file cut off anywhere gives problems or a tree", async () => {
  for (let end = 0; end <= text.length; end++) if (isOurs(end)) await examine(text.slice(0, end));
});

test("a file that lacks any one character gives problems or a tree", async () => {
  for (let at = 0; at < text.length; at++) {
    if (isOurs(at)) await examine(text.slice(0, at) + text.slice(at + 1));
  }
});

test("a file with pieces put in at random gives problems or a tree", async () => {
  const next = random(20);
  const pieces = [
    '"',
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\n",
    "\r\n",
    "${",
    "%{",
    "$",
    "=",
    "<<E\n",
    "E\n",
  ]
    .concat(["/*", "*/", "#", "//", ",", "\\", "~", "a", " b = 1\n", "é", "\u0000", "?", ":", "."]);
  for (let round = 0; round < 400; round++) {
    let damaged = text;
    for (let count = 0; count < 1 + next() * 3; count++) {
      const at = Math.floor(next() * (damaged.length + 1));
      const piece = pieces[Math.floor(next() * pieces.length)];
      damaged = damaged.slice(0, at) + piece + damaged.slice(at);
    }
    if (isOurs(round)) await examine(damaged);
  }
});

test("a file put together at random is read as the parser reads it", async () => {
  const next = random(7);
  const pick = (list: readonly string[]): string => list[Math.floor(next() * list.length)];
  const gaps = [" ", "  ", "\t", ' /* } " */ ', "/**/", " /* {\n */ "];
  const ends = ["\n", "\r\n", ' # { "\n', " // } <<E\n", ' /* " */\n\n'];
  const scalars = [
    "1",
    "-2.5",
    "null",
    '"a"',
    '"}\\"{"',
    '"$${ \\\\"',
    '"é${"}" == "{"}"',
    '"${"${1}"}"',
  ];
  const heredocs = ['<<E\n} " {\n E E\nE', '<<-E\n  ${"E"} $${\n\n  E', "<<É_1\r\n  É\r\n É_1"];
  const value = (depth: number): string => {
    const kind = next();
    if (kind < 0.1 && depth > 0) return pick(heredocs);
    if (kind < 0.3 && depth > 0) {
      return `[${pick(gaps)}${value(0)},\n# ]\n${value(0)}${pick(gaps)}]`;
    }
    if (kind < 0.5 && depth > 0) return `{ k${pick(gaps)}= ${value(0)}, "}" : ${value(0)}\n}`;
    if (kind < 0.6) return `${pick(scalars)} == (\n${pick(scalars)})`;
    return kind < 0.7 ? 'env("A}", "{")' : pick(scalars);
  };
  const body = (depth: number): string => {
    let written = "";
    for (let item = 0; item < next() * 4; item++) {
      // Names are unique, since one attribute and block of the same name hide each other there.
      const name = `n${depth}_${item}`;
      if (next() < 0.5 || depth === 0) {
        const heredoc = value(1);
        const end = heredoc.startsWith("<<") ? "\n" : pick(ends);
        written += `${name}${pick(gaps)}=${pick(gaps)}${heredoc}${end}`;
      } else {
        const labels = pick(["", '"l"', ' "{\\"" b', ' "a"/* { */"é"']);
        const header = `${name}${labels}${pick([" ", "/* { */"])}{`;
        for (let copy = 0; copy < 1 + next(); copy++) {
          written += `${header}${pick(["\n", " # }\n"])}${body(depth - 1)}}${pick(ends)}`;
        }
        if (next() < 0.3) written += `one_${name} "x" { a = ${value(0)} }\n`;
      }
    }
    return written;
  };
  for (let round = 0; round < 60; round++) {
    const written = body(3);
    if (!isOurs(round)) continue;
    assert.deepEqual((await readTexts([written])).problems.map(placed), [], written);
    await examine(written);
  }
});
