/** `serve(config, { workers, metrics })`. */
import assert from "node:assert/strict";
import { stageTest } from "../support/process.ts";

stageTest("the metrics of two workers are added up, and survive one of them", async (stage) => {
  const script = await stage.script("tests/fixtures/scripts/workers-metrics.ts");
  // Its end also shows that no timer is left. The log says that a worker was killed.
  const { code, stdout, stderr } = await script.ended();
  assert.deepEqual([code, stdout], [0, "done\n"], stderr);
});
