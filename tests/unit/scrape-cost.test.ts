import assert from "node:assert/strict";
import { test } from "node:test";
import { scrapeCost } from "../support/scrape-cost.ts";

test("a scrape with 10 000 connections takes less than 5 ms, about as long as without any", async () => {
  const [none, many] = [await scrapeCost(0), await scrapeCost(10_000)];
  assert.ok(many.best < 5, `${many.best} ms`);
  // The resolution of timers is not endless.
  assert.ok(many.best < 3 * Math.max(none.best, 0.3), `${many.best} ms, ${none.best} ms without`);
});
