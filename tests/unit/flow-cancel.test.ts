import assert from "node:assert/strict";
import { configure, reset } from "@logtape/logtape";
import { test } from "node:test";
import { ManualClock, settle } from "../support/clock.ts";
import { failureOf, FROM, type Made, make, to } from "../support/flow.ts";

/** A flow whose writes never settle; `given` has the connectors whose writes were cancelled. */
async function hanging(body: string): Promise<Made & { clock: ManualClock; given: string[] }> {
  const clock = new ManualClock();
  const given: string[] = [];
  const answer = (name: string) =>
    Object.assign(new Promise(() => {}), { cancel: () => void given.push(name) });
  return { ...await make(body, answer, { clock }), clock, given };
}

test("a flow that times out cancels what it waits for, and not before", async () => {
  const { run, clock, given } = await hanging(`timeout = "1s"\n${FROM}\n${to("b")}`);
  const failing = failureOf(() => run());
  await clock.advance(999);
  assert.deepEqual(given, []);
  await clock.advance(2);
  assert.equal((await failing).code, "timeout");
  assert.deepEqual(given, ["b"]);
});

test("a step that times out cancels what it waits for, and the flow continues", async () => {
  const step = 'step "s" {\nconnector = "b"\ntimeout = "1s"\non_error = "skip"\ndefault = 7\n}';
  const { run, clock, given } = await hanging(`${FROM}\n${step}\nresponse { s = "step.s" }`);
  const running = run();
  await clock.advance(1001);
  assert.deepEqual((await running).response, { data: { s: 7 } });
  assert.deepEqual(given, ["b"]);
});

test("the flow's timeout applies to a step with a longer timeout", async () => {
  const step = 'step "s" {\nconnector = "b"\ntimeout = "9s"\n}';
  const { run, clock, given } = await hanging(`timeout = "1s"\n${FROM}\n${step}`);
  const failing = failureOf(() => run());
  await clock.advance(1001);
  assert.equal((await failing).code, "timeout");
  assert.deepEqual(given, ["b"]);
});

test("all parallel destinations are cancelled", async () => {
  const parallel = ["b", "c"].map((name) => to(name, "parallel = true")).join("\n");
  const { run, clock, given } = await hanging(`timeout = "1s"\n${FROM}\n${parallel}`);
  const failing = failureOf(() => run());
  await settle();
  await clock.advance(1001);
  assert.equal((await failing).code, "timeout");
  assert.deepEqual(given, ["b", "c"]);
});

/** What is logged as an error meanwhile. */
async function errorsOf(act: () => Promise<void>): Promise<readonly string[]> {
  const log: string[] = [];
  await configure({
    reset: true,
    sinks: { list: ({ message }) => void log.push(message.join("")) },
    loggers: [
      { category: "weir", lowestLevel: "error", sinks: ["list"] },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  try {
    await act();
  } finally {
    await reset();
  }
  return log;
}

test("what a connector says of work that is late is in the error, which is logged", async () => {
  const words: Readonly<Record<string, () => string | undefined>> = {
    a: () => "it was still busy",
    b: () => undefined,
    c: () => {
      throw new Error("it throws");
    },
  };
  const answer = (name: string) =>
    Object.assign(new Promise(() => {}), { cancel: () => {}, doing: words[name] });
  const step = 'step "s" {\nconnector = "a"\ntimeout = "500ms"\n}';
  const late = 'step "s" {\nconnector = "a"\ntimeout = "5s"\n}';
  const both = ["b", "a"].map((name) => to(name, "parallel = true")).join("\n");
  const cases: readonly (readonly [body: string, reason: RegExp])[] = [
    [to("a"), /timed out after 1000 ms; it was still busy$/],
    [to("b"), /timed out after 1000 ms$/],
    [to("c"), /timed out after 1000 ms$/],
    [step, /timed out after 500 ms; it was still busy$/],
    [late, /timed out after 1000 ms; it was still busy$/],
    [both, /timed out after 1000 ms; it was still busy$/],
  ];
  for (const [body, reason] of cases) {
    const clock = new ManualClock();
    const { run } = await make(`timeout = "1s"\n${FROM}\n${body}`, answer, { clock });
    const failing = failureOf(() => run());
    await settle();
    await clock.advance(1001);
    assert.match(String((await failing).cause), reason);
  }
});

test("a connector that fails to cancel is logged, and all others are cancelled", async () => {
  const failures: Readonly<Record<string, () => unknown>> = {
    a: () => {
      throw new Error("it throws");
    },
    b: () => Promise.reject(new Error("it rejects")),
  };
  const given: string[] = [];
  const answer = (name: string) => {
    const cancel = failures[name] ?? (() => void given.push(name));
    return Object.assign(new Promise(() => {}), { cancel });
  };
  const clock = new ManualClock();
  const parallel = ["a", "b", "c"].map((name) => to(name, "parallel = true")).join("\n");
  const { run } = await make(`timeout = "1s"\n${FROM}\n${parallel}`, answer, { clock });
  const log = await errorsOf(async () => {
    const failing = [failureOf(() => run()), failureOf(() => run())];
    await settle();
    await clock.advance(1001);
    for (const { code } of await Promise.all(failing)) assert.equal(code, "timeout");
    await settle();
  });
  assert.deepEqual(given, ["c", "c"]);
  for (const reason of [/it throws/, /it rejects/]) {
    assert.equal(log.filter((line) => reason.test(line)).length, 2, log.join("\n"));
  }
});
