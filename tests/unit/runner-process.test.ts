/** The commands of a test run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../runner/process.ts";
import { needTool } from "../support/toolchain.ts";
import { gone } from "../support/workers.ts";

const STARTS_A_GROUP = `
  const { spawn } = require("node:child_process");
  const code = "setInterval(() => {}, 1000)";
  const { pid } = spawn(process.execPath, ["-e", code], { detached: true, stdio: "ignore" });
  console.log(pid);
  setInterval(() => {}, 1000);
`;

test("a command that takes too long ends with all that it has started", async () => {
  const node = await needTool("node");
  const { ok, output, end } = await run(node, ["-e", STARTS_A_GROUP], { cwd: ".", timeout: 5_000 });
  assert.deepEqual([ok, end], [false, "timed out after 5 s"]);
  const pid = Number(output);
  assert.ok(pid > 0, output);
  await gone(pid);
});
