import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { root, stageTest } from "../support/process.ts";

const fixtures = join(root, "tests/fixtures");

stageTest("check and run show every mistake of a folder at its place, at once", async (stage) => {
  const expected = await readFile(join(fixtures, "mistakes/expected.txt"), "utf8");
  for (const command of ["check", "run"]) {
    const exit = await stage.weir([command, "mistakes"], { cwd: fixtures });
    assert.deepEqual(exit, { code: 1, signal: null, stdout: "", stderr: expected });
  }
});

stageTest("what a broken file declares is missed once the file is gone", async (stage) => {
  const folder = await stage.copy("mistakes");
  await rm(join(folder, "more"), { recursive: true });
  const { code, stderr } = await stage.weir(["check", folder]);
  assert.equal(code, 1);
  assert.match(stderr, /flow "archive": there is no connector "broken"/);
  assert.match(stderr, /flow "archive", to: there is no connector "brokne"/);
  assert.doesNotMatch(stderr, /syntax error/);
});

stageTest("check says that a configuration is good", async (stage) => {
  const exit = await stage.weir(["check", "page"], { cwd: fixtures });
  const stdout = "good: 3 connectors, 3 flows\n";
  assert.deepEqual(exit, { code: 0, signal: null, stdout, stderr: "" });
});
