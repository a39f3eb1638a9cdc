import assert from "node:assert/strict";
import { test } from "node:test";
import { Waiting } from "../../src/base/waiting.ts";

/** A `Waiting` that says everything soon, and its next words. */
function speaking() {
  let heard: (names: readonly string[]) => void = () => {};
  const waiting = new Waiting<string>({ after: 1, every: 1 }, (names) => heard(names));
  const next = () => new Promise<readonly string[]>((resolve) => heard = resolve);
  return { waiting, next };
}

test("what is pending is said again and again, each name once", async () => {
  const { waiting, next } = speaking();
  const [a, b] = [Promise.withResolvers<number>(), Promise.withResolvers<void>()];
  const added = waiting.add("a", a.promise);
  waiting.add("b", b.promise);
  waiting.add("b", new Promise(() => {}));
  assert.deepEqual(await next(), ["a", "b"]);
  assert.deepEqual(await next(), ["a", "b"]);
  a.resolve(7);
  assert.equal(await added, 7);
  assert.deepEqual(await next(), ["b"]);
  waiting.end();
});

test("work that fails is no longer pending, and its error is the caller's", async () => {
  const { waiting, next } = speaking();
  const failing = waiting.add("a", Promise.reject(new Error("failed")));
  await assert.rejects(failing, /failed/);
  assert.deepEqual(await next(), []);
  waiting.end();
});

test("nothing is said after the end", async () => {
  const said: unknown[] = [];
  const waiting = new Waiting<string>({ after: 1, every: 1 }, (names) => said.push(names));
  waiting.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(said, []);
});
