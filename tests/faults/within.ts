/** Waits for a number to be what it must be. */
import assert from "node:assert/strict";
import { nextLook } from "../support/socket-probe.ts";
import { uncounted } from "./timers.ts";

/** How long that may take, in milliseconds. */
const PATIENCE = 10_000;

/** Waits until `count` gives `expected`; fails with what it gives instead. */
export async function within(
  what: string,
  count: () => number | Promise<number>,
  expected: number,
  details: () => readonly string[] = () => [],
): Promise<void> {
  const began = performance.now();
  let now = await count();
  while (now !== expected && performance.now() < began + PATIENCE) {
    await new Promise<void>((resolve) => uncounted.setTimeout(resolve, nextLook(began)));
    now = await count();
  }
  assert.equal(now, expected, [`${what}: ${now} instead of ${expected}`, ...details()].join("\n"));
}
