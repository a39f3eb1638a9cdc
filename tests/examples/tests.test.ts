/** The `test` blocks of the examples and of the published page, by the command, on every runtime. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root, stageTest } from "../support/process.ts";

const configurations = [
  "examples/chat",
  "examples/dashboard",
  "examples/embed",
  "examples/iot",
  "examples/notifications",
  "examples/rabbitmq",
  "tests/fixtures/page",
];

/** Milliseconds that `weir test` may take over an example, its start included. */
const DEADLINE = 2_000;

for (const configuration of configurations) {
  stageTest(`weir test ${configuration} is good, within two seconds`, async (stage) => {
    const began = performance.now();
    const { code, stdout, stderr } = await stage.weir(["test", join(root, configuration)]);
    const took = performance.now() - began;
    assert.deepEqual([code, stderr], [0, ""], stdout);
    assert.match(stdout, /\n[2-9]\d* tests, all good\n$/);
    assert.ok(took < DEADLINE, `it took ${Math.round(took)} ms`);
  });
}
