/** Which versions of Node work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeProblem, OLDEST_NODES } from "../../src/server/node-version.ts";

test("Node works from the oldest version of each line on", () => {
  for (const version of [...OLDEST_NODES, "22.21.1", "22.99.0", "24.10.0", "25.0.0", "26.1.0"]) {
    assert.equal(nodeProblem(version), undefined, version);
  }
  for (const version of ["8.17.0", "20.20.2", "22.20.0", "22.9.0", "23.11.1", "24.8.0", "24.0.0"]) {
    assert.equal(
      nodeProblem(version),
      "@weir/runtime needs Node 22.21 or a later Node 22, or Node 24.9 or later; " +
        `this is Node ${version}`,
    );
  }
});
