import assert from "node:assert/strict";
import { test } from "node:test";
import { Fifo } from "../../src/base/fifo.ts";
import { seeded } from "../support/random.ts";

test("an empty queue returns nothing, repeatedly", () => {
  const queue = new Fifo<number>();
  for (let count = 0; count < 100; count++) {
    assert.equal(queue.peek(), undefined);
    assert.equal(queue.shift(), undefined);
    assert.equal(queue.length, 0);
  }
  queue.push(1);
  assert.equal(queue.shift(), 1);
});

test("random pushes and shifts: the same as a plain list", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const queue = new Fifo<number>();
    const list: number[] = [];
    for (let step = 0; step < 5000; step++) {
      // It grows for a while, then it shrinks.
      if (random.chance(step % 1000 < 500 ? 0.7 : 0.3)) {
        queue.push(step);
        list.push(step);
      } else {
        assert.equal(queue.peek(), list[0]);
        assert.equal(queue.shift(), list.shift());
      }
      assert.equal(queue.length, list.length);
    }
  }
});
