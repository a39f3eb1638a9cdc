/** Each wrong use of the client library fails for the reason that is meant, and nothing else fails. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { root, withStage } from "../support/process.ts";
import { needTool } from "../support/toolchain.ts";

/** What the next line is expected to fail for, in brackets at the end. */
const DIRECTIVE = /^ *\/\/ @ts-expect-error .*\[(.+)\]$/;

test("client types: wrong uses fail for the reasons that are meant", async () => {
  await withStage("deno", async (stage) => {
    const source = join(root, "tests/unit/client-types.test.ts");
    const lines = (await readFile(source, "utf8")).split("\n");
    const expected = new Map<number, string>();
    for (const [index, line] of lines.entries()) {
      const reason = DIRECTIVE.exec(line)?.[1];
      if (reason === undefined) continue;
      // Lines count from 1, and the error is on the next one.
      expected.set(index + 2, reason);
      lines[index] = "";
    }
    assert.ok(expected.size >= 20, `${expected.size} wrong uses`);
    const src = pathToFileURL(join(root, "src")).href;
    const copy = join(stage.folder, "copy.ts");
    await writeFile(copy, lines.join("\n").replaceAll('"../../src/', `"${src}/`));
    const check = stage.command(await needTool("deno"), [
      "check",
      "--config",
      join(root, "deno.json"),
      copy,
    ]);
    const { stderr } = await check.ended(120_000);
    const found = new Map<number, string>();
    // What belongs to an error is indented.
    for (const problem of stderr.split(/^(?=TS\d+ \[ERROR\]: \S)/m).slice(1)) {
      const line = Number(/^ {4}at .*copy\.ts:(\d+):/m.exec(problem)?.[1]);
      found.set(line, problem);
    }
    assert.deepEqual([...found.keys()], [...expected.keys()], stderr);
    for (const [line, reason] of expected) {
      const problem = found.get(line) ?? "";
      assert.ok(problem.includes(reason), `${lines[line - 1]}: expected ${reason} in ${problem}`);
    }
  });
});
