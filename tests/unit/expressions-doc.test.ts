/** The examples of docs/expressions.md say what the expressions give. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MACRO_NAMES } from "../../src/expression/macros.ts";
import { functionsIn } from "../../src/expression/functions.ts";
import { compileExpression } from "../../src/expression/mod.ts";

const PAGE = readFileSync(new URL("../../docs/expressions.md", import.meta.url), "utf8");

const SCOPE = {
  input: {
    n: 7,
    z: 0,
    "first name": "Ada",
    users: [{ name: "Ada", age: 36 }, { name: "Bob", age: 20 }],
  },
};

/** The cells of the tables whose heading names an example or an expression, and its result. */
function examples(): { readonly source: string; readonly result: string }[] {
  const found: { source: string; result: string }[] = [];
  let column = -1;
  for (const line of PAGE.split("\n")) {
    if (!line.startsWith("|")) {
      column = -1;
      continue;
    }
    const cells = line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
    const result = cells.indexOf("result");
    if (result > 0) column = result;
    else if (column > 0 && !cells[0].startsWith("---")) {
      found.push({ source: code(cells[column - 1]), result: code(cells[column]) });
    }
  }
  return found;
}

/** What stands between the backticks of a cell; a bar is escaped there. */
function code(cell: string): string {
  const inner = /^`(.*)`$/.exec(cell)?.[1];
  assert.ok(inner !== undefined, `no code in the cell ${cell}`);
  return inner.replaceAll("\\|", "|");
}

test("expressions page: every example gives its result", () => {
  const rows = examples();
  assert.ok(rows.length > 80, `${rows.length} examples found`);
  for (const { source, result } of rows) {
    const value = compileExpression(source, ["input"]).evaluate(SCOPE);
    assert.deepEqual(value, JSON.parse(result), source);
  }
});

test("expressions page: it names every function", () => {
  for (const name of [...functionsIn({}).keys(), ...MACRO_NAMES]) {
    assert.match(PAGE, new RegExp(`(?<![\\w.])(?:list\\.)?${name.replace(".", "\\.")}[(\`]`), name);
  }
});
