/** The counters of several workers as those of one service. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { countsOfAll } from "../../src/workers/counts.ts";

test("counters of workers add up, but each of them counts all instances", () => {
  const one = { ws: { connections: 2, instances: 5, backplane_sent: 1 }, db: { queries: 3 } };
  const two = { ws: { connections: 4, instances: 6, backplane_sent: 2 } };
  assert.deepEqual(countsOfAll([one, two]), {
    ws: { connections: 6, instances: 6, backplane_sent: 3 },
    db: { queries: 3 },
  });
  assert.deepEqual(countsOfAll([]), {});
});
