import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "@logtape/logtape";
import { systemClock } from "../../src/base/clock.ts";
import { FlowError } from "../../src/base/errors.ts";
import { startSchedule } from "../../src/flow/schedule.ts";
import { codeOf } from "../support/problems.ts";
import { parseSchedule } from "../../src/model/schedule.ts";

/** A logger that keeps the level and message of each line. */
function recorder(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const logger = {
    debug: (message: string) => lines.push(`debug ${message}`),
    warn: (message: string) => lines.push(`warn ${message}`),
    error: (message: string) => lines.push(`error ${message}`),
  };
  return { logger: logger as unknown as Logger, lines };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test("schedule: @every takes any duration", () => {
  const cases: readonly [string, number][] = [
    ["@every 5s", 5_000],
    ["@every 1h30m", 5_400_000],
    ["  @every   500ms ", 500],
    ["@every 100d", 8_640_000_000],
  ];
  for (const [text, every] of cases) assert.deepEqual(parseSchedule(text), { every }, text);
});

test("schedule: cron patterns of five and six fields, and nicknames", () => {
  for (
    const cron of [
      "* * * * *",
      "*/5 * * * *",
      "30 */5 * * * *",
      "0 9 * * MON-FRI",
      "0 0 L * *",
      "0 0 29 2 *",
      "@hourly",
      "@daily",
      "@midnight",
      "@weekly",
      "@monthly",
      "@yearly",
      "@annually",
    ]
  ) assert.deepEqual(parseSchedule(cron), { cron }, cron);
});

test("schedule: an invalid text is refused with a reason", () => {
  const texts = [
    "",
    "soon",
    "@every",
    "@every 0s",
    "@every -1s",
    "@every 5",
    "@every 5 s",
    "@every 99999999999999999999d",
    "@reboot",
    "@daily now",
    "* * * *",
    "* * * * * * *",
    "2099-01-01T00:00:00",
    "60 * * * *",
    "*/0 * * * *",
    "a b c d e",
    "0 0 30 2 *",
  ];
  for (const text of texts) {
    const parsed = parseSchedule(text);
    assert.ok("message" in parsed, text);
    assert.equal(codeOf(parsed), "invalid-schedule");
    assert.ok(parsed.message.includes(`"${text}"`), parsed.message);
    assert.equal(parsed.attribute, "when");
  }
});

test("schedule: a typo gets a suggestion", () => {
  for (const [slip, meant] of [["@evry 5s", "@every"], ["@dayly", "@daily"]]) {
    const parsed = parseSchedule(slip);
    assert.ok("message" in parsed);
    assert.equal(parsed.hint, `did you mean "${meant}"?`);
  }
});

test("schedule: @every runs repeatedly, a whole number of intervals apart", async () => {
  const due: number[] = [];
  const done = Promise.withResolvers<void>();
  const { logger, lines } = recorder();
  const started = performance.now();
  const running = startSchedule({ every: 20 }, (scheduledAt) => {
    due.push(scheduledAt.getTime());
    // Late work of a run must not shift the next ones.
    if (due.length === 6) done.resolve();
  }, logger);
  await done.promise;
  const elapsed = performance.now() - started;
  await running.stop();
  assert.ok(elapsed >= 119, `six intervals of 20 ms cannot pass in ${elapsed} ms`);
  for (const [i, time] of due.entries()) {
    const intervals = (time - due[0]) / 20;
    assert.ok(Math.abs(intervals - Math.round(intervals)) <= 0.1, `run ${i} is off: ${due}`);
  }
  assert.deepEqual(lines, []);
});

test("schedule: runs that are due while one is in flight are skipped, told and logged once", async () => {
  let running = 0;
  let most = 0;
  const second = Promise.withResolvers<void>();
  const { logger, lines } = recorder();
  let runs = 0;
  let skips = 0;
  const run = async () => {
    most = Math.max(most, ++running);
    if (++runs === 2) second.resolve();
    await sleep(55);
    running--;
  };
  const schedule = startSchedule({ every: 10 }, run, logger, systemClock, undefined, () => skips++);
  await second.promise;
  await schedule.stop();
  assert.equal(most, 1);
  assert.ok(skips >= 2, `${skips} runs were skipped`);
  assert.equal(lines.length, skips);
  const levels = lines.map((line) => line.split(" ")[0]);
  // The second run may have begun on time, and then another row of skipped runs begins with it.
  assert.equal(levels[0], "warn");
  assert.ok(levels.includes("debug"), lines.join("\n"));
  assert.match(lines[0], /^warn skipped the run due at \{scheduledAt\}, since the previous one/);
});

test("schedule: stop waits for the run in flight, and nothing runs after it", async () => {
  const started = Promise.withResolvers<void>();
  let runs = 0;
  let ended = 0;
  const schedule = startSchedule({ every: 10 }, async () => {
    runs++;
    started.resolve();
    await sleep(30);
    ended++;
  }, recorder().logger);
  await started.promise;
  await schedule.stop();
  assert.equal(ended, runs);
  const before = runs;
  await sleep(40);
  assert.equal(runs, before);
  await schedule.stop();
});

test("schedule: an interval longer than a timer can wait does not run at once", async () => {
  let runs = 0;
  const schedule = startSchedule({ every: 60 * 86_400_000 }, () => runs++, recorder().logger);
  await sleep(30);
  await schedule.stop();
  assert.equal(runs, 0);
});

test("schedule: runs that were due while the process was blocked are skipped", async () => {
  const due: Date[] = [];
  const schedule = startSchedule({ every: 10 }, (at) => due.push(at), recorder().logger);
  const until = performance.now() + 105;
  while (performance.now() < until);
  await sleep(5);
  await schedule.stop();
  assert.ok(due.length >= 1 && due.length <= 3, `${due.length} runs`);
});

test("schedule: the wall clock does not affect @every", async () => {
  const now = Date.now;
  let runs = 0;
  const schedule = startSchedule({ every: 3_600_000 }, () => runs++, recorder().logger);
  try {
    Date.now = () => now() + 10 * 3_600_000;
    await sleep(30);
  } finally {
    Date.now = now;
    await schedule.stop();
  }
  assert.equal(runs, 0);
});

test("schedule: a cron pattern runs on the second", async () => {
  const first = Promise.withResolvers<Date>();
  const schedule = startSchedule({ cron: "* * * * * *" }, (at) => {
    assert.ok(Date.now() >= at.getTime());
    first.resolve(at);
  }, recorder().logger);
  assert.equal((await first.promise).getMilliseconds(), 0);
  await schedule.stop();
});

test("schedule: a wall clock that jumps ahead makes a cron pattern due once", async () => {
  const now = Date.now;
  const due: Date[] = [];
  const schedule = startSchedule({ cron: "* * * * * *" }, (at) => due.push(at), recorder().logger);
  try {
    Date.now = () => now() + 3_600_000;
    await sleep(1_300);
  } finally {
    Date.now = now;
    await schedule.stop();
  }
  assert.ok(due.length >= 1 && due.length <= 3, `${due.length} runs`);
});

test("schedule: a run that fails does not end the schedule; its flow has logged a FlowError", async () => {
  const errors = [new FlowError("f", "flow_failed", { ref: "abcd1234" }), new TypeError("bug")];
  const third = Promise.withResolvers<void>();
  const { logger, lines } = recorder();
  const schedule = startSchedule({ every: 5 }, () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    third.resolve();
  }, logger);
  await third.promise;
  await schedule.stop();
  assert.deepEqual(lines, ["error scheduled run failed: {error}"]);
});
