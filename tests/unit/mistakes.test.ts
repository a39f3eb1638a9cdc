/** The mistakes of beginners: each is told with its cause and its fix, and the fix can be copied. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Problem } from "../../src/base/problem.ts";
import {
  mistakeFiles,
  mistakeIn,
  printedFile,
  printedFor,
  problemsIn,
} from "../support/mistakes.ts";

test("each mistake of a beginner is told as it is written down", async () => {
  const names = await mistakeFiles();
  assert.ok(names.length >= 50);
  const texts: string[] = [];
  for (const name of names) {
    const problems = await problemsIn(name, await mistakeIn(name));
    assert.notEqual(problems.length, 0, name);
    texts.push(printedFor(name, problems));
  }
  const expected = await readFile(printedFile, "utf8");
  assert.equal(texts.join("\n"), expected, "deno run -A tests/snapshots/update-mistakes.ts");
});

test("docs/check.md shows texts that are printed", async () => {
  const page = await readFile(new URL("../../docs/check.md", import.meta.url), "utf8");
  const [, section = ""] = page.split("## What to write instead");
  const [, shown = ""] = /^```text\n([^]*?)^```$/m.exec(section) ?? [];
  const expected = await readFile(printedFile, "utf8");
  const lines = shown.split("\n").filter((line) => line !== "" && !line.includes("┌"));
  assert.equal(lines.length, 9);
  for (const line of lines) assert.ok(expected.includes(`\n${line}\n`), line);
});

/** A whole line that a hint says to write. */
const LINE = /^write ([a-z_]+ += .*|[a-z]+ "[a-z]+" \{|# .*)$/;
/** A value that a hint says to write. */
const VALUE = /(?:; |: |^)(?:write )?("(?:[^"\\]|\\.)*"|\[.*\]|\d+|true|env\("\w+"\))$/;

/** The line as its hint says to write it; undefined where the hint says something else. */
function fixOf({ hint = "", source }: Problem): string | undefined {
  if (/, and |; (?!write)/.test(hint)) return undefined;
  const [, line] = LINE.exec(hint) ?? [];
  const [, name] = /^( *\w+ *=) *[^{ ]/.exec(source) ?? [];
  const [, value] = VALUE.exec(hint) ?? [];
  return line ?? (name && value && `${name} ${value}`);
}

test("what a hint says to write is right", async () => {
  let fixed = 0;
  for (const name of await mistakeFiles()) {
    const text = await mistakeIn(name);
    for (const problem of await problemsIn(name, text)) {
      const fix = fixOf(problem);
      if (fix === undefined) continue;
      const lines = text.split("\n");
      lines[problem.line - 1] = fix;
      const left = await problemsIn(name, lines.join("\n"));
      const isLeft = ({ line, message, code }: Problem) =>
        line === problem.line &&
        (problem.code === "syntax-error" ? message === problem.message : code !== "env-not-set");
      assert.deepEqual(left.filter(isLeft), [], `${name}: ${fix}`);
      fixed++;
    }
  }
  assert.ok(fixed >= 100, `${fixed} hints`);
});
