/** Health checks of members. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { startHealthChecks } from "../../src/cluster/health.ts";

/** A worker that is asked, and how often it was found to hang. */
class Asked {
  readonly stop: () => void;
  asked = 0;
  hung = 0;
  readonly #answers: PromiseWithResolvers<void>[] = [];
  #timer: (() => void) | undefined;

  constructor(quick: boolean) {
    const after: Clock["after"] = (milliseconds, task) => {
      assert.equal(milliseconds, 1_000);
      this.#timer = task;
      return () => this.#timer = undefined;
    };
    this.stop = startHealthChecks({ ...systemClock, after }, () => {
      this.asked++;
      const answer = Promise.withResolvers<void>();
      this.#answers.push(answer);
      if (quick) answer.resolve();
      return answer.promise;
    }, () => this.hung++);
  }

  /** The timer is due so many times; each time what has been answered is read before. */
  async seconds(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      for (let turns = 0; turns < 5; turns++) await undefined;
      const task = this.#timer;
      this.#timer = undefined;
      task?.();
    }
  }

  answer(): void {
    this.#answers.at(-1)?.resolve();
  }

  reject(): void {
    this.#answers.at(-1)?.reject(new Error("it has ended"));
  }
}

test("a member is pinged every second, but not before it has responded", async () => {
  const quick = new Asked(true);
  await quick.seconds(100);
  assert.deepEqual([quick.asked, quick.hung], [100, 0]);
  const slow = new Asked(false);
  await slow.seconds(10);
  assert.equal(slow.asked, 1);
  slow.answer();
  await slow.seconds(1);
  assert.deepEqual([slow.asked, slow.hung], [2, 0]);
});

test("responses after just under ten seconds are still healthy", async () => {
  const slow = new Asked(false);
  for (let n = 0; n < 5; n++) {
    await slow.seconds(10);
    slow.answer();
  }
  assert.deepEqual([slow.asked, slow.hung], [5, 0]);
});

test("no response for ten seconds is reported once", async () => {
  const gone = new Asked(false);
  await gone.seconds(10);
  assert.equal(gone.hung, 0);
  await gone.seconds(1);
  assert.equal(gone.hung, 1);
  await gone.seconds(100);
  assert.deepEqual([gone.asked, gone.hung], [1, 1]);
});

test("rejected pings are ignored until the checks stop", async () => {
  const ended = new Asked(false);
  await ended.seconds(1);
  ended.reject();
  await ended.seconds(1);
  ended.stop();
  await ended.seconds(100);
  assert.deepEqual([ended.asked, ended.hung], [2, 0]);
});
