/** Schedules that the oldest instance of a group runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RunningSchedule, startSchedule } from "../../src/flow/schedule.ts";
import { type TestInstance, TestService } from "../support/groups.ts";

const START = Date.UTC(2026, 0, 1);
const logger = { trace() {}, debug() {}, info() {}, warn() {}, error: assert.fail };

/** A run: who began it, when it was due, and when it began, in seconds since the start. */
interface Run {
  readonly id: string;
  readonly due: number;
  readonly begun: number;
}

/** Runs a schedule as the runtime does. */
function runSchedule(
  { id, group, clock }: TestInstance,
  runs: Run[],
  { pattern = "* * * * * *", takes = 0 } = {},
): void {
  let running: RunningSchedule | undefined;
  const run = async (at: Date): Promise<void> => {
    const due = (at.getTime() - START) / 1_000;
    runs.push({ id, due, begun: (clock.now() - START) / 1_000 });
    if (takes > 0) await new Promise<void>((resolve) => clock.after(takes, resolve));
  };
  group.lead({
    begin() {
      running = startSchedule({ cron: pattern }, run, logger, clock, {
        last: group.loadProgress("tick"),
        save: (progress) => group.saveProgress("tick", progress),
        mayRun: () => group.mayLead,
      });
      return Promise.resolve();
    },
    end: async () => await running?.stop(),
  });
}

/** How often each due time from one to another was run. */
function times(runs: readonly Run[], from: number, to: number): readonly number[] {
  return Array.from(
    { length: to - from + 1 },
    (_, i) => runs.filter(({ due }) => due === from + i).length,
  );
}

test("each due time runs once, on the oldest", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const runs: Run[] = [];
  for (const one of [a, b]) runSchedule(one, runs);
  await service.advance(5_000, 250);
  assert.deepEqual(times(runs, 2, 6), [1, 1, 1, 1, 1]);
  assert.ok(runs.every(({ id }) => id === "a"));
  await service.close();
});

test("the successor of one that is killed makes up for what was due, each at most twice", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const runs: Run[] = [];
  for (const one of [a, b]) runSchedule(one, runs, { takes: 50 });
  await service.advance(5_000, 250);
  service.kill(a);
  await service.advance(15_000, 250);
  const found = times(runs, 2, 20);
  assert.ok(found.every((count) => count === 1 || count === 2), found.join());
  assert.ok(found.filter((count) => count === 2).length <= 1, "only what was under way");
  await service.close();
});

test("one that is stopped for 20 s starts nothing when it goes on, and no due time is lost", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const runs: Run[] = [];
  for (const one of [a, b]) runSchedule(one, runs);
  await service.advance(5_000, 250);
  service.blocked.add(a);
  await service.advance(20_000, 250);
  const before = runs.length;
  await service.wake(a);
  await service.advance(5_000, 250);
  assert.ok(runs.slice(before).every(({ id }) => id === "b"));
  const found = times(runs, 2, 29);
  assert.ok(found.every((count) => count === 1 || count === 2), found.join());
  await service.close();
});

test("what is due while all are cut off runs after it, once", async () => {
  const service = new TestService();
  const all = [await service.start("a"), await service.start("b")];
  const runs: Run[] = [];
  for (const one of all) runSchedule(one, runs);
  await service.advance(5_000, 250);
  for (const { link } of all) link.cut();
  await service.advance(10_000, 250);
  const before = runs.length;
  for (const { link } of all) link.mend();
  await service.advance(4_000, 250);
  assert.ok(runs.length > before);
  const found = times(runs, 2, 18);
  assert.ok(found.every((count) => count === 1 || count === 2), found.join());
  await service.close();
});

test("no two instances begin a due time within the same second, whatever happens to them", async () => {
  const service = new TestService();
  const all = [await service.start("a"), await service.start("b"), await service.start("c")];
  const runs: Run[] = [];
  for (const one of all) runSchedule(one, runs);
  const [a, b, c] = all;
  // Once each knows of the first run.
  await service.advance(2_000, 250);
  for (
    const step of [
      () => a.link.faults.add("mute").add("deaf"),
      () => service.blocked.add(b),
      () => a.link.faults.clear(),
      () => service.wake(b),
      () => c.link.cut(),
      () => service.blocked.add(a),
      () => c.link.mend(),
      () => service.wake(a),
    ]
  ) {
    await step();
    await service.advance(9_000, 500);
  }
  for (const { id, due, begun } of runs) {
    const twins = runs.filter((run) => run.id !== id && run.due === due);
    for (const twin of twins) assert.ok(Math.abs(twin.begun - begun) >= 1, JSON.stringify(twin));
  }
  const found = times(runs, 3, 70);
  assert.ok(found.every((count) => count === 1 || count === 2), found.join());
  await service.close();
});

test("a newcomer knows how far a schedule has come, and nobody does when all were gone", async () => {
  const service = new TestService();
  const a = await service.start("a");
  a.group.saveProgress("tick", { due: 7, ago: 10, unfinished: null });
  const b = await service.start("b");
  assert.deepEqual(b.group.loadProgress("tick"), { due: 7, ago: 610, unfinished: null });
  a.group.saveProgress("tick", { due: 8, ago: 0, unfinished: 8 });
  await service.advance(100);
  assert.equal(b.group.loadProgress("tick")?.due, 8);
  // An older one does not undo it.
  b.group.saveProgress("tick", { due: 5, ago: 0, unfinished: null });
  await service.advance(100);
  assert.equal(a.group.loadProgress("tick")?.due, 8);
  await service.close();
  const c = await service.start("c");
  assert.equal(c.group.loadProgress("tick"), undefined);
  service.blocked.add(a).add(b);
  await service.close();
});
