/** A schedule that goes on in another process than the one that has run it before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "../../src/contract/connector.ts";
import { type RunningSchedule, startSchedule } from "../../src/flow/schedule.ts";
import type { Schedule } from "../../src/model/schedule.ts";
import type { Progress } from "../../src/contract/cluster.ts";
import { ScheduleProgress } from "../../src/cluster/progress.ts";
import { ManualClock } from "../support/clock.ts";

const logger: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error: assert.fail };
const START = Date.UTC(2026, 0, 1);
const every: Schedule = { every: 1_000 };
const cron: Schedule = { cron: "* * * * * *" };

/** A service's schedule, and the processes that run it. */
class Service {
  readonly clock: ManualClock = new ManualClock(START);
  /** When runs were due that have begun, in seconds since the start. */
  readonly begun: number[] = [];
  /** What runs wait for. */
  takes = 0;
  readonly #schedule: Schedule;
  readonly #progress = new ScheduleProgress(this.clock);

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  get progress(): Progress | undefined {
    return this.#progress.load("tick");
  }

  /** Continues it in another process. Returns a function that ends that process, as if it was killed. */
  take(): { readonly kill: () => void; readonly schedule: RunningSchedule } {
    let alive = true;
    const clock = {
      now: () => this.clock.now(),
      elapsed: () => this.clock.elapsed(),
      after: (milliseconds: number, task: () => void) =>
        this.clock.after(milliseconds, () => alive && task()),
    };
    const run = async (at: Date): Promise<void> => {
      if (!alive) return await new Promise(() => {});
      this.begun.push((at.getTime() - START) / 1_000);
      if (this.takes > 0) await new Promise<void>((resolve) => clock.after(this.takes, resolve));
    };
    const handover = {
      last: this.progress,
      save: (progress: Progress) => void (alive && this.#progress.save("tick", progress)),
    };
    const schedule = startSchedule(this.#schedule, run, logger, clock, handover);
    return { schedule, kill: () => alive = false };
  }
}

for (const schedule of [every, cron]) {
  const name = "every" in schedule ? "@every" : "a cron pattern";

  test(`${name} continues where another process stopped, with the times that were missed`, async () => {
    const service = new Service(schedule);
    const first = service.take();
    await service.clock.advance(2_500);
    assert.deepEqual(service.begun, [1, 2]);
    first.kill();
    await service.clock.advance(3_000);
    const second = service.take();
    await service.clock.advance(0);
    assert.deepEqual(service.begun, [1, 2, 3, 4, 5]);
    await service.clock.advance(500);
    assert.deepEqual(service.begun, [1, 2, 3, 4, 5, 6]);
    second.kill();
    // Nothing was due.
    service.take();
    await service.clock.advance(999);
    assert.deepEqual(service.begun, [1, 2, 3, 4, 5, 6]);
    await service.clock.advance(1);
    assert.deepEqual(service.begun, [1, 2, 3, 4, 5, 6, 7]);
  });

  test(`${name}: a run that has not ended is repeated, one that was skipped is not`, async () => {
    const service = new Service(schedule);
    service.takes = 10_000;
    const first = service.take();
    await service.clock.advance(4_500);
    assert.deepEqual(service.begun, [1]);
    first.kill();
    await service.clock.advance(1_000);
    service.takes = 0;
    service.take();
    await service.clock.advance(0);
    assert.deepEqual(service.begun, [1, 1, 5]);
    assert.equal(service.progress?.unfinished, null);
  });

  test(`${name}: of times more than a minute ago only the newest runs`, async () => {
    const service = new Service(schedule);
    service.take().kill();
    await service.clock.advance(100_500);
    service.take();
    await service.clock.advance(0);
    assert.deepEqual(service.begun, Array.from({ length: 60 }, (_, index) => 41 + index));
  });

  test(`${name}: a time that is due during the missed runs runs after them, once`, async () => {
    const service = new Service(schedule);
    service.take().kill();
    await service.clock.advance(3_500);
    service.takes = 1_000;
    const second = service.take();
    await service.clock.advance(0);
    // 1 until 4.5, 2 until 5.5, 3 until 6.5, then the newest of 4, 5 and 6; 7 is left out again.
    await service.clock.advance(4_500);
    assert.deepEqual(service.begun, [1, 2, 3, 6, 8]);
    second.kill();
    service.takes = 0;
    service.take();
    await service.clock.advance(0);
    assert.deepEqual(service.begun, [1, 2, 3, 6, 8, 8]);
  });

  test(`${name}: stop waits for the run in flight and starts no other`, async () => {
    const service = new Service(schedule);
    service.take().kill();
    await service.clock.advance(3_500);
    service.takes = 1_000;
    const { schedule: second } = service.take();
    await service.clock.advance(500);
    let stopped = false;
    void second.stop().then(() => stopped = true);
    await service.clock.advance(499);
    assert.equal(stopped, false);
    await service.clock.advance(10_000);
    assert.deepEqual([stopped, service.begun], [true, [1]]);
    // The others are still to be made up for.
    service.takes = 0;
    service.take();
    await service.clock.advance(0);
    assert.deepEqual(service.begun.slice(0, 3), [1, 2, 3]);
  });
}

test("of rare times that were missed long ago the newest runs", async () => {
  for (const schedule of [{ every: 3_600_000 }, { cron: "0 * * * *" }]) {
    const service = new Service(schedule);
    service.take().kill();
    await service.clock.advance(3 * 3_600_000 + 600_000);
    service.take();
    await service.clock.advance(0);
    assert.deepEqual(service.begun, [3 * 3_600]);
    await service.clock.advance(3_000_000);
    assert.deepEqual(service.begun, [3 * 3_600, 4 * 3_600]);
  }
});

test("a wall clock that was changed does not affect @every", () => {
  for (const jump of [-3_600_000, 3_600_000]) {
    const clock = new ManualClock(START);
    const last = { due: START + jump, ago: 1_500, unfinished: null };
    const due: number[] = [];
    const run = (at: Date): void => void due.push(at.getTime() - START);
    startSchedule(every, run, logger, clock, { last, save() {} });
    assert.deepEqual(due, [-500]);
  }
});

for (const schedule of [every, cron]) {
  const name = "every" in schedule ? "@every" : "a cron pattern";

  test(`${name}: what is due while it may not run, runs when it may`, async () => {
    const clock = new ManualClock(START);
    const begun: number[] = [];
    let allowed = true;
    const run = (at: Date): void => void begun.push((at.getTime() - START) / 1_000);
    const handover = { last: undefined, save() {}, mayRun: () => allowed };
    const running = startSchedule(schedule, run, logger, clock, handover);
    await clock.advance(2_000);
    allowed = false;
    await clock.advance(3_000);
    assert.deepEqual(begun, [1, 2]);
    allowed = true;
    await clock.advance(1_000);
    assert.deepEqual(begun, [1, 2, 3, 4, 5, 6]);
    allowed = false;
    await clock.advance(2_000);
    await running.stop();
    allowed = true;
    await clock.advance(2_000);
    assert.deepEqual(begun, [1, 2, 3, 4, 5, 6]);
    assert.equal(clock.waiting, 0);
  });

  test(`${name}: a successor that may not run yet waits with what was missed`, async () => {
    const clock = new ManualClock(START + 3_500);
    const begun: number[] = [];
    let allowed = false;
    const run = (at: Date): void => void begun.push((at.getTime() - START) / 1_000);
    const last = { due: START + 1_000, ago: 2_500, unfinished: START + 1_000 };
    const handover = { last, save() {}, mayRun: () => allowed };
    const running = startSchedule(schedule, run, logger, clock, handover);
    await clock.advance(1_200);
    assert.deepEqual(begun, []);
    allowed = true;
    await clock.advance(500);
    assert.deepEqual(begun.slice(0, 3), [1, 2, 3]);
    allowed = false;
    const stopped = startSchedule(schedule, run, logger, clock, handover);
    const before = begun.length;
    await stopped.stop();
    await running.stop();
    allowed = true;
    await clock.advance(2_000);
    assert.equal(begun.length, before);
    assert.equal(clock.waiting, 0);
  });
}
