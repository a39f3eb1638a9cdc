/** One line of the table that shows what every attribute does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import { codeOf } from "../support/problems.ts";

/** A scenario that an attribute changes. */
export interface Row {
  /** As `attributes.ts` names it, such as `flow/to/when`. */
  readonly attribute: string;
  /** The attribute or block as it is written. */
  readonly text: string;
  /** What is seen from outside where the configuration has this text at its place; empty without it. */
  observe(text: string): Promise<unknown>;
  /** What must be seen without it; for what must be there, the codes of the errors. */
  readonly without: unknown;
  /** What must be seen with it. */
  readonly with: unknown;
}

/** Runs every scenario without and with its attribute. */
export function testRows(rows: readonly Row[]): void {
  for (const row of rows) {
    test(`${row.attribute} changes what is seen from outside: ${inOneLine(row.text)}`, async () => {
      assert.notDeepEqual(row.without, row.with, "the two outcomes are the same");
      assert.deepEqual(await seeWithout(row), row.without, "without it");
      // A configuration that is refused shows nothing of what the attribute does.
      assert.deepEqual(await row.observe(row.text), row.with, "with it");
    });
  }
}

/** A configuration that is refused is an outcome, too: the codes of its errors. */
async function seeWithout(row: Row): Promise<unknown> {
  try {
    return await row.observe("");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.filter(({ severity }) => severity === "error")
      .map(codeOf);
  }
}

function inOneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
