import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowError } from "../../src/base/errors.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { failureOf, FROM, make, to } from "../support/flow.ts";

function retry(rest: string): string {
  return `error_handling {\n  retry {\n${rest}\n  }\n}`;
}

test("two destinations: if the first fails, the second receives nothing", async () => {
  const { run, writes } = await make([FROM, to("a"), to("b")].join("\n"), (name) => {
    if (name === "a") throw new Error("away");
  });
  await failureOf(() => run());
  assert.deepEqual(writes.length, 1);
});

test("adjacent parallel destinations overlap; the next one waits for all", async () => {
  const waiting = new Map<string, () => void>();
  const order: string[] = [];
  const { run } = await make(
    [
      FROM,
      to("a", "parallel = true"),
      to("b", "parallel = true"),
      to("c", "parallel = true"),
      to("m"),
      'response { outputs = "outputs" }',
    ].join("\n"),
    (name) => {
      order.push(name);
      return name === "m" ? "m" : new Promise((resolve) => waiting.set(name, () => resolve(name)));
    },
  );
  const running = run();
  assert.deepEqual(order, ["a", "b", "c"]);
  for (const name of ["c", "a", "b"]) {
    waiting.get(name)?.();
    await settle();
    assert.equal(order.includes("m"), name === "b", name);
  }
  assert.deepEqual((await running).response, { data: { outputs: ["a", "b", "c", "m"] } });
});

test("of several parallel failures the first is the flow's, the others are logged", async () => {
  const { run, log, writes } = await make(
    [
      FROM,
      to("a", "parallel = true"),
      to("b", "parallel = true"),
      to("c", "parallel = true"),
      to("m"),
    ]
      .join("\n"),
    (name) => {
      if (name === "a") return Promise.reject(new ConnectorError("a", "is away"));
      if (name === "b") throw new ConnectorError("b", "never", { permanent: true });
    },
  );
  const error = await failureOf(() => run());
  // What can never succeed decides.
  assert.deepEqual([error.permanent, (error.cause as Error).message], [
    true,
    'connector "b": never',
  ]);
  assert.equal(writes.length, 3);
  assert.match(log.records[0].text, /connector a failed as well: .*is away/);
});

test("retry waits by its backoff and repeats only destinations that have not succeeded", async () => {
  const cases = [
    ['attempts = 4\ndelay = "100ms"', [100, 100, 100]],
    ['attempts = 4\ndelay = "100ms"\nbackoff = "linear"', [100, 200, 300]],
    ['attempts = 3\ndelay = "100ms"\nbackoff = "exponential"', [100, 200]],
    ['attempts = 5\ndelay = "100ms"\nbackoff = "exponential"\nmax_delay = "300ms"', [
      100,
      200,
      300,
      300,
    ]],
    ["attempts = 2", [1000]],
    ['delay = "1ms"', []],
  ] as const;
  for (const [rest, delays] of cases) {
    const clock = new ManualClock();
    const times: number[] = [];
    const { run, writes } = await make(
      [FROM, 'step "s" { connector = "m" }', to("a"), to("b"), retry(rest)].join("\n"),
      (name) => {
        if (name !== "b") return;
        times.push(clock.elapsed());
        throw new Error("away");
      },
      { clock },
    );
    const running = failureOf(() => run());
    await clock.advance(5_000);
    assert.equal((await running).code, "flow_failed");
    assert.deepEqual(times.slice(1).map((time, i) => time - times[i]), delays, rest);
    // Neither the step nor the destination that has it already is asked again.
    assert.equal(writes.length, 2 + times.length);
  }
});

test("retry delays are random within bounds; permanent failures are not retried", async () => {
  const clock = new ManualClock();
  for (const [chance, delay] of [[0, 80], [0.5, 100], [0.999, 120]] as const) {
    const { deliver } = await import("../../src/flow/delivery.ts");
    const { groupsOf } = await import("../../src/flow/groups.ts");
    const { Run } = await import("../../src/flow/run.ts");
    const { runWithDeadline } = await import("../../src/flow/coroutine.ts");
    const { Deadlines } = await import("../../src/base/deadlines.ts");
    const times: number[] = [];
    const { log, flow } = await make(FROM);
    const connectors = new Map([["a", {
      write() {
        times.push(clock.elapsed());
        throw new Error("away");
      },
    }]]);
    const destination = {
      connector: "a",
      operation: undefined,
      target: undefined,
      when: undefined,
      options: {},
      transform: undefined,
      parallel: false,
      atomic: false,
      creates: false,
    };
    const model = { attempts: 2, delay: 100, maxDelay: 1000, backoff: "constant" } as const;
    const run = new Run({ operation: "x", payload: {}, input: {} }, {});
    const context = {
      flow: flow.flow,
      connectors,
      clock,
      random: () => chance,
      logger: log.logger,
    };
    const work = deliver(groupsOf([destination], []), model, run, context);
    const running = Promise.resolve(runWithDeadline(work, new Deadlines(clock, 10_000))).catch(
      () => {},
    );
    await clock.advance(1000);
    await running;
    assert.equal(Math.round(times[1] - times[0]), delay);
  }

  const types = 'type "t" { n = number }';
  const permanent = [
    ['validate { output = "t" }', () => undefined],
    ["", () => {
      throw new ConnectorError("a", "no such table", { permanent: true });
    }],
    ['accept { when = "false" }', () => undefined],
  ] as const;
  for (const [block, answer] of permanent) {
    const { run, writes, log } = await make(
      [FROM, block, to("a"), retry("attempts = 5")].join("\n"),
      answer,
      { blocks: types, clock },
    );
    await failureOf(() => run({ text: "x" }));
    assert.ok(writes.length <= 1);
    assert.ok(!log.records.some(({ text }) => text.includes("tries again")));
  }
});

test("a fallback receives a failed event once, and then the event counts as handled", async () => {
  const clock = new ManualClock();
  const { run, writes, log } = await make(
    [
      FROM,
      'transform { text = "input.text" }',
      to("a"),
      'response { text = "output" }',
      'error_handling {\n  retry { attempts = 2 }\n  fallback {\n    connector = "b"\n    target = "error.step"',
      '    transform {\n      what = "output.text"\n      code = "error.code"\n      why = "error.message"\n    }\n  }\n}',
    ].join("\n"),
    (name) => {
      if (name === "a") throw new ConnectorError("a", "is away");
    },
    { clock },
  );
  const running = run({ text: "hello" });
  await clock.advance(2000);
  assert.deepEqual(await running, { response: undefined, result: undefined, created: false });
  const [, , fallback, ...more] = writes;
  assert.deepEqual(more, []);
  assert.deepEqual([fallback.target, fallback.payload], [
    "a",
    { what: "hello", code: "flow_failed", why: 'connector "a": is away' },
  ]);
  assert.ok(log.records.some(({ level }) => level === "error"));
});

test("include_error adds the error to the payload of the fallback", async () => {
  const fallback = (rest: string) =>
    `error_handling {\n  fallback {\n    connector = "b"\n${rest}\n  }\n}`;
  const cases = [
    ["include_error = true", { n: 1 }, (error: unknown) => ({ n: 1, error })],
    ["include_error = false", { n: 1 }, () => ({ n: 1 })],
    ["", { n: 1 }, () => ({ n: 1 })],
    ['include_error = true\ntransform { m = "output.n" }', { n: 1 }, (error: unknown) => ({
      m: 1,
      error,
    })],
    ["include_error = true", "text", (error: unknown) => ({ data: "text", error })],
  ] as const;
  for (const [rest, payload, expected] of cases) {
    const { flow, writes } = await make([FROM, to("a"), fallback(rest)].join("\n"), (name) => {
      if (name === "a") throw new Error("away");
    });
    await flow.run({ operation: "x", payload, input: {} });
    const { error } = writes[1].scope as { error: Record<string, unknown> };
    assert.deepEqual(Object.keys(error).sort(), ["code", "details", "message", "ref", "step"]);
    assert.deepEqual(writes[1].payload, expected(error), rest);
  }
});

test("a fallback receives invalid data and flows that timed out, but not rejected events", async () => {
  const fallback = 'error_handling { fallback { connector = "b" } }';
  const cases = [
    ['validate { input = "t" }', 'type "t" { n = number }', true],
    ['accept { when = "false" }', "", false],
    ['transform { a = "input.x + 1" }', "", true],
  ] as const;
  for (const [block, blocks, taken] of cases) {
    const { run, writes } = await make(
      [FROM, block, to("a"), fallback.replaceAll(" { ", " {\n").replaceAll(" } }", "\n}\n}")].join(
        "\n",
      ),
      undefined,
      { blocks },
    );
    if (taken) await run({ text: 1 });
    else await failureOf(() => run({ text: 1 }));
    assert.equal(writes.length, taken ? 1 : 0, block);
  }
});

test("a fallback that fails leaves the event unhandled; it may succeed after a redelivery", async () => {
  const cases = [[true, false, false], [true, true, true], [false, true, false]] as const;
  for (const [first, second, permanent] of cases) {
    const { run, log } = await make(
      [FROM, to("a"), 'error_handling {\n  fallback {\n    connector = "b"\n  }\n}'].join("\n"),
      (name) => {
        throw new ConnectorError(name, "fails", { permanent: name === "a" ? first : second });
      },
    );
    const error = await failureOf(() => run());
    assert.deepEqual([error.code, error.permanent], ["flow_failed", permanent]);
    assert.match(log.records[1].text, /fallback failed \(ref .*connector "b": fails/);
  }
});

test("error_response is sent to the caller, never the cause", async () => {
  const body = (fallback: string) =>
    [
      'from { connector = "r" }',
      to("a"),
      `error_handling {\n${fallback}\n  error_response {\n    status = 503\n    body {`,
      '      code = "error.code"\n      text = "error.message"\n      id = "input.id"\n      ref = "error.ref"\n    }\n  }\n}',
    ].join("\n");
  for (const fallback of ["", 'fallback {\nconnector = "b"\n}']) {
    const { run, writes } = await make(body(fallback), (name) => {
      if (name === "a") throw new Error("SELECT secret");
    });
    const error = await failureOf(() => run({ id: 7 }));
    const { answer, ref } = error;
    assert.deepEqual(answer, {
      status: 503,
      body: { code: "flow_failed", text: `flow "f" failed (ref ${ref})`, id: 7, ref },
    });
    assert.equal(writes.length, fallback === "" ? 1 : 2);
  }
});

test("an error_response that fails leaves the error unchanged", async () => {
  const { run, log } = await make(
    [
      'from { connector = "r" }',
      to("a"),
      'error_handling {\n  error_response {\n    body { x = "input.a + 1" }\n  }\n}',
    ]
      .join("\n"),
    () => {
      throw new Error("away");
    },
  );
  const error = await failureOf(() => run());
  assert.deepEqual(error.answer, { status: undefined, body: undefined });
  assert.match(log.records[1].text, /error_response failed/);
});

test("the first error_response whose when is true answers; one that cannot tell does not", async () => {
  const responses = [
    'when = "input.n + 1 > 5"\nbody {\n first = "true"\n}',
    'when = "error.step == \'b\'"\nbody {\n second = "true"\n}',
    'when = "error.code == \'rejected\' || null"\nbody {\n third = "true"\n}',
  ];
  const body = (last: string) =>
    [
      'from { connector = "r" }',
      'accept { when = "input.open" }',
      to("b"),
      `error_handling {\n  fallback { connector = "c" }\n${
        [...responses, last].filter((one) => one !== "").map((one) => `error_response {\n${one}\n}`)
          .join("\n")
      }\n}`,
    ].join("\n");
  let away = true;
  const answer = (name: string): void => {
    if (away && name === "b") throw new Error("away");
  };
  const { run, log } = await make(body(""), answer);
  const bodyOf = async (input: Readonly<Record<string, unknown>>) =>
    (await failureOf(() => run(input))).answer?.body;
  assert.deepEqual(await bodyOf({ open: true, n: 5 }), { first: true });
  assert.deepEqual(await bodyOf({ open: true, n: 4 }), { second: true });
  assert.deepEqual(await bodyOf({ open: false, n: 4 }), { third: true });
  assert.deepEqual(await bodyOf({ open: false, n: 5 }), { first: true });
  log.records.length = 0;
  assert.deepEqual(await bodyOf({ open: true }), { second: true });
  assert.match(log.records[1].text, /error_response failed: .*input\.n \+ 1 > 5/);
  away = false;
  assert.equal((await run({ open: true })).response, undefined);

  // Where none applies, the fallback has handled the event.
  responses.length = 1;
  away = true;
  const handled = await make(body(""), answer);
  assert.equal((await handled.run({ open: true, n: 0 })).response, undefined);
  const last = await make(body("status = 418"), answer);
  const { answer: other } = await failureOf(() => last.run({ open: true, n: 0 }));
  assert.deepEqual(other, { status: 418, body: undefined });
});

test("the timeout of a flow includes retries; only the fallback starts after it", async () => {
  const clock = new ManualClock();
  const pending = Promise.withResolvers<void>();
  const { run, writes } = await make(
    [
      FROM,
      'timeout = "10s"',
      to("a"),
      to("b"),
      'error_handling {\n  fallback {\n    connector = "c"\n  }\n}',
    ]
      .join("\n"),
    (name) => name === "a" ? pending.promise : undefined,
    { clock },
  );
  const running = run();
  await clock.advance(9_999);
  assert.equal(writes.length, 1);
  await clock.advance(1);
  await running;
  pending.resolve();
  await settle();
  assert.deepEqual(writes.map((_, i) => i), [0, 1]);

  const retried = await make(
    [FROM, 'timeout = "10s"', to("a"), retry('attempts = 1000\ndelay = "3s"')].join("\n"),
    () => {
      throw new Error("away");
    },
    { clock },
  );
  const ended: Promise<FlowError> = failureOf(() => retried.run());
  await clock.advance(10_000);
  const error = await ended;
  assert.deepEqual([error.code, error.permanent], ["timeout", false]);
  assert.match(error.message, /^flow "f" timed out \(ref [0-9a-f]{8}\)$/);
  assert.equal(retried.writes.length, 4);
  // The timer of the deadlines is left running once.
  await clock.advance(10_000);
  assert.equal(clock.waiting, 0);
});

test("a fallback that hangs times out after the flow's timeout", async () => {
  const clock = new ManualClock();
  const { run } = await make(
    [FROM, 'timeout = "5s"', to("a"), 'error_handling {\n  fallback {\n    connector = "b"\n  }\n}']
      .join("\n"),
    () => new Promise(() => {}),
    { clock },
  );
  const ended = failureOf(() => run());
  await clock.advance(10_000);
  assert.equal((await ended).code, "timeout");
});

test("the default timeout of a flow is 30 seconds", async () => {
  const clock = new ManualClock();
  const { run } = await make([FROM, to("a")].join("\n"), () => new Promise(() => {}), { clock });
  let error: unknown;
  const ended = failureOf(() => run()).then((found) => error = found);
  await clock.advance(29_999);
  assert.equal(error, undefined);
  await clock.advance(1);
  await ended;
});

test("runs that ended in time leave no deadlines behind", async () => {
  const clock = new ManualClock();
  const { run, flow } = await make(
    [FROM, 'timeout = "1s"', to("a")].join("\n"),
    () => Promise.resolve(),
    { clock },
  );
  for (let i = 0; i < 100; i++) await run();
  assert.ok(clock.waiting <= 1);
  await clock.advance(5_000);
  assert.equal(clock.waiting, 0);
  await run();
  flow.close();
  assert.equal(clock.waiting, 0);
});

test("a failure is an outage only if something is unavailable or too slow", async () => {
  const clock = new ManualClock();
  const answers: Readonly<Record<string, () => unknown>> = {
    away: () => {
      throw new ConnectorError("b", "is away");
    },
    never: () => {
      throw new ConnectorError("b", "no such table", { permanent: true });
    },
    bug: () => {
      throw new TypeError("x is undefined");
    },
    slow: () => new Promise(() => {}),
  };
  const { run } = await make(
    [
      FROM,
      'timeout = "1s"',
      to("b"),
      'error_handling {\n  error_response {\n    body { x = "error.code" }\n  }\n}',
    ].join("\n"),
    (_, { payload }) => answers[String((payload as { readonly what: unknown }).what)](),
    { clock },
  );
  const outage = async (what: string): Promise<boolean> => {
    const failing = failureOf(() => run({ what }));
    await settle();
    await clock.advance(1_000);
    return (await failing).outage;
  };
  for (const what of ["away", "slow"]) assert.equal(await outage(what), true, what);
  for (const what of ["never", "bug"]) assert.equal(await outage(what), false, what);
});
