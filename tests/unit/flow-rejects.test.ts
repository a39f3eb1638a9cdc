/** `reject`: refusals between the steps of a flow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { startSchedule } from "../../src/flow/schedule.ts";
import { ManualClock } from "../support/clock.ts";
import { eventOf, failureOf, FROM, make, to } from "../support/flow.ts";

const REQUESTS = 'from { connector = "r" }';

function step(name: string, rest = ""): string {
  return `step "${name}" {\n  connector = "${name}"\n${rest}\n}`;
}

function reject(when: string, code: string, rest = ""): string {
  return `reject {\n  when = "${when}"\n  code = "${code}"\n${rest}\n}`;
}

/** Asks connector `a` for a ticket and `b` for its owner, with a refusal after each. */
const TICKET = [
  REQUESTS,
  reject("input.id == 0", "no_id"),
  step("a"),
  reject("step.a == null", "not_found", 'status = 404\nmessage = "no such ticket"'),
  reject("step.a.closed", "closed", "status = 410"),
  step("b"),
  reject("step.b.id != input.user", "not_yours"),
  to("c"),
].join("\n");

test("reject: the first that is true refuses the event, and nothing below it runs", async () => {
  const cases = [
    [{ id: 0 }, "no_id", 403, [], true],
    [{ id: 1 }, "not_found", 404, ["a"], false],
    [{ id: 2 }, "closed", 410, ["a"], true],
    [{ id: 3, user: 7 }, "not_yours", 403, ["a", "b"], true],
  ] as const;
  for (const [input, code, status, asked, named] of cases) {
    const { run, writes, log } = await make(TICKET, (name, { event }) => {
      const { id } = event?.input ?? {};
      if (name === "b") return { id: 8 };
      return id === 1 ? null : { closed: id === 2 };
    });
    const error = await failureOf(() => run(input));
    assert.deepEqual([error.code, error.status, error.permanent], [code, status, true]);
    assert.equal(error.message, named ? 'flow "f" rejected the event' : "no such ticket");
    assert.equal(writes.length, asked.length);
    assert.equal(error.ref, undefined);
    assert.deepEqual(log.records.map(({ level }) => level), ["debug"]);
  }
});

test("reject: an event that none refuses goes on, whether a step waits or not", async () => {
  for (const later of [false, true]) {
    const { run, writes } = await make(TICKET, (name) => {
      const found = name === "b" ? { id: 7 } : { closed: null };
      return later ? Promise.resolve(found) : found;
    });
    await run({ id: 3, user: 7 });
    assert.equal(writes.length, 3);
  }
});

test("reject: it goes before transform and after validate.input, without any step", async () => {
  const body = [
    REQUESTS,
    'transform { n = "input.n + 1" }',
    'validate { input = "order" }',
    reject("input.n > 1", "too_many"),
    'response { n = "output.n" }',
  ].join("\n");
  const { run } = await make(body, undefined, { blocks: 'type "order" {\n  n = number()\n}' });
  assert.equal((await failureOf(() => run({ n: "2" }))).code, "validation_failed");
  assert.equal((await failureOf(() => run({ n: 2 }))).code, "too_many");
  assert.deepEqual((await run({ n: 1 })).response, { data: { n: 2 } });
});

test("reject: it is neither retried nor the fallback's, and error_response may answer", async () => {
  const body = [
    REQUESTS,
    step("a"),
    reject("step.a == null", "not_found", "status = 404"),
    to("c"),
    'error_handling {\n  retry { attempts = 3 }\n  fallback { connector = "b" }\n' +
    '  error_response {\n    body {\n      why = "error.code"\n      at = "error.step"\n    }\n  }\n}',
  ].join("\n");
  const { run, writes } = await make(body);
  const error = await failureOf(() => run());
  assert.deepEqual([error.code, error.status], ["not_found", 404]);
  assert.deepEqual(error.answer?.body, { why: "not_found", at: "reject" });
  assert.equal(writes.length, 1);
});

test("reject: a look-up that fails is a failure, never the refusal", async () => {
  const body = [REQUESTS, step("a"), reject("step.a == null", "not_found"), to("c")].join("\n");
  const { run } = await make(body, () => {
    throw new ConnectorError("a", "is down");
  });
  const error = await failureOf(() => run());
  assert.deepEqual([error.code, error.status, error.outage], ["flow_failed", undefined, true]);
  assert.match(error.ref ?? "", /^\w{8}$/);
  // A condition that cannot be answered fails, too.
  const broken = await make([REQUESTS, reject("input.n + 1", "odd")].join("\n"));
  assert.equal((await failureOf(() => broken.run({ n: 1 }))).code, "flow_failed");
});

test("reject: on_reject settles a broker's message", async () => {
  const permanent = { reject: true, requeue: false };
  for (const [onReject, expected] of Object.entries(permanent)) {
    const refusal = reject("true", "too_early", `on_reject = "${onReject}"`);
    const { run } = await make(['from { connector = "m" }', refusal, to("c")].join("\n"));
    assert.equal((await failureOf(() => run())).permanent, expected);
  }
  const acked = reject("true", "too_early", 'on_reject = "ack"');
  const { run, writes } = await make(['from { connector = "m" }', acked, to("c")].join("\n"));
  assert.equal((await run()).response, undefined);
  assert.equal(writes.length, 0);
});

test("reject: a code may be any word that an object has by itself", async () => {
  for (const code of ["constructor", "__proto__", "to_string"]) {
    const { run } = await make([FROM, reject("true", code)].join("\n"));
    assert.equal((await failureOf(() => run())).code, code);
  }
});

test("reject: at a gate everything up to the last one runs early, and only once", async () => {
  const body = [
    FROM,
    'accept { when = "input.id != -1" }',
    'validate { input = "ticket" }',
    step("a"),
    reject("step.a == null", "not_found"),
    step("b"),
    to("c"),
    'response { owner = "step.b.name" }',
  ].join("\n");
  const options = { blocks: 'type "ticket" {\n  id = number()\n}' };
  const { flow, writes } = await make(body, (name, { event }) => {
    if (name === "b") return Promise.resolve({ name: "ann" });
    return event?.input.id === 1 ? null : {};
  }, options);
  assert.equal(flow.waits, true);
  for (const [id, code] of [[-1, "rejected"], ["x", "validation_failed"], [1, "not_found"]]) {
    assert.equal((await failureOf(() => flow.accept(eventOf({ id })))).code, code);
  }
  assert.equal(writes.length, 1);
  const event = eventOf({ id: 2 });
  await flow.accept(event);
  assert.equal(writes.length, 3);
  assert.deepEqual((await flow.run(event)).response, { data: { owner: "ann" } });
  assert.equal(writes.length, 4);
});

test("without a reject only accept runs early", async () => {
  const body = [FROM, 'accept { when = "true" }', step("a"), to("c")].join("\n");
  const { flow, writes } = await make(body);
  assert.equal(flow.waits, false);
  const event = eventOf({});
  await flow.accept(event);
  assert.equal(writes.length, 0);
  await flow.run(event);
  assert.equal(writes.length, 2);
});

test("reject: on a schedule the run ends, and only debug lines tell", async () => {
  const clock = new ManualClock();
  const body = ['when = "@every 5s"', reject("true", "closed"), to("c")].join("\n");
  const { flow, writes, log } = await make(body);
  const schedule = startSchedule({ every: 5_000 }, () => flow.run(eventOf({})), log.logger, clock);
  await clock.advance(11_000);
  await schedule.stop();
  assert.equal(flow.ended, 2);
  assert.equal(writes.length, 0);
  assert.deepEqual(log.records.map(({ level }) => level), ["debug", "debug"]);
});
