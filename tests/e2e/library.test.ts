import assert from "node:assert/strict";
import { stageTest } from "../support/process.ts";

stageTest("two runtimes live in one process and do not see each other", async (stage) => {
  const script = await stage.script("tests/fixtures/scripts/library.ts");
  // Its end also shows that neither timers nor sockets are left.
  assert.deepEqual(await script.ended(), { code: 0, signal: null, stdout: "done\n", stderr: "" });
});
