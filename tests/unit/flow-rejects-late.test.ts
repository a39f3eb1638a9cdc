/** `reject`: refusals between the destinations of a flow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDedupeStore } from "../../src/flow/dedupe.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { eventOf, failureOf, FROM, make, to } from "../support/flow.ts";

function reject(when: string, code: string, rest = ""): string {
  return `reject {\n  when = "${when}"\n  code = "${code}"\n${rest}\n}`;
}

function named(name: string, connector: string, rest = ""): string {
  return to(connector, rest).replace("to", `to "${name}"`);
}

/** Which connectors were written to, in order. */
function namesOf(asked: readonly string[]): string {
  return asked.join(" ");
}

test("reject: below a to it sees what a later to would see, and the rest does not run", async () => {
  const body = [
    'from { connector = "r" }',
    reject("input.n == 0", "none"),
    'transform { n = "input.n * 2" }',
    named("first", "a"),
    reject(
      "payload.n == 2 && output.n == 2 && input.n == 1 && step.s.id == 3",
      "one",
      'status = 409\nmessage = "no"',
    ),
    to("b"),
    reject("results.first.id == 2 && outputs == [{'id': 2}, null]", "two"),
    reject("results.first == null || size(outputs) != 2", "lost"),
    to("c"),
    'step "s" { connector = "m" }',
    reject("size(outputs) == 3 && results.first.id == 3", "three"),
    'response { n = "results.first.id" }',
  ].join("\n");
  const cases = [
    [0, "none", 403, ""],
    [1, "one", 409, "m a"],
    [2, "two", 403, "m a b"],
    [3, "three", 403, "m a b c"],
  ] as const;
  for (const later of [false, true]) {
    const asked: string[] = [];
    const { run, log } = await make(body, (name, { event }) => {
      asked.push(name);
      const result = name === "m" ? { id: 3 } : name === "a" ? { id: event?.input.n } : undefined;
      return later ? Promise.resolve(result) : result;
    });
    for (const [n, code, status, expected] of cases) {
      asked.length = 0;
      const error = await failureOf(() => run({ n }));
      assert.deepEqual([error.code, error.status, error.ref], [code, status, undefined]);
      assert.equal(error.message, n === 1 ? "no" : 'flow "f" rejected the event');
      assert.equal(namesOf(asked), expected);
    }
    assert.ok(log.records.every(({ level }) => level === "debug"));
    assert.deepEqual((await run({ n: 4 })).response, { data: { n: 4 } });
  }
});

test("reject: below a to it is not retried, not the fallback's, and error_response answers", async () => {
  for (const rest of ["", 'on_reject = "requeue"']) {
    const answer = rest === ""
      ? 'error_response {\n  body {\n  why = "error.code"\n  at = "error.step"\n  }\n}'
      : "";
    const body = [
      rest === "" ? FROM : 'from { connector = "m" }',
      to("a"),
      reject("outputs[0] == null", "empty", rest),
      to("c"),
      `error_handling {\nretry { attempts = 3 }\nfallback { connector = "b" }\n${answer}\n}`,
    ].join("\n");
    const { run, writes } = await make(body);
    const error = await failureOf(() => run());
    assert.deepEqual([error.code, error.permanent], ["empty", rest === ""]);
    const shaped = rest === "" ? { why: "empty", at: "reject" } : undefined;
    assert.deepEqual(error.answer?.body, shaped);
    assert.equal(writes.length, 1);
  }
});

test("reject: below a to, ack counts as handled, and an expression that fails is a failure", async () => {
  const body = (when: string) =>
    ['from { connector = "m" }', to("a"), reject(when, "done", 'on_reject = "ack"'), to("c")]
      .join("\n");
  const acked = await make(body("true"));
  assert.deepEqual(await acked.run(), { response: undefined, result: undefined, created: false });
  assert.deepEqual([acked.writes.length, acked.flow.ended], [1, 1]);
  const broken = await make(body("input.n + 1"));
  assert.equal((await failureOf(() => broken.run({ n: 1 }))).code, "flow_failed");
});

test("reject: below a to, a refusal forgets the key of dedupe", async () => {
  for (const rest of ["", 'on_reject = "ack"']) {
    const body = [
      'from { connector = "m" }',
      'dedupe {\n  key = "input.id"\n  ttl = "1m"\n  store = "c"\n}',
      to("a"),
      reject("outputs[0] < 3", "early", rest),
    ].join("\n");
    let tries = 0;
    const { run } = await make(body, () => ++tries, { keys: new MemoryDedupeStore(9) });
    for (let i = 0; i < 2; i++) {
      if (rest === "") assert.equal((await failureOf(() => run({ id: 1 }))).code, "early");
      else await run({ id: 1 });
    }
    await run({ id: 1 });
    // The third was let pass, so its key is known.
    await run({ id: 1 });
    assert.equal(tries, 3);
  }
});

test("reject: a retry goes on below a reject that it has passed", async () => {
  const clock = new ManualClock();
  const body = [
    FROM,
    to("a"),
    reject("input.n > 1", "many"),
    to("b"),
    reject("outputs[1] == 2", "twice"),
    "error_handling {\n  retry { attempts = 2 }\n}",
  ].join("\n");
  const asked: string[] = [];
  const { run } = await make(body, (name) => {
    asked.push(name);
    if (name === "b" && asked.length === 2) throw new ConnectorError("b", "is busy");
    return name === "b" ? 2 : 1;
  }, { clock });
  const failing = failureOf(() => run({ n: 1 }));
  await settle();
  await clock.advance(60_000);
  assert.equal((await failing).code, "twice");
  assert.equal(namesOf(asked), "a b b");
});

test("reject: it divides neighbours with each or parallel, and runs once", async () => {
  const each = 'each = "input.list"';
  const lists = await make(
    [
      FROM,
      named("one", "a", each),
      to("b", each),
      reject("size(results.one) != 2", "odd"),
      to("c", each),
      to("c", `${each}\nwhen = "size(results.one) == 2"`),
    ].join("\n"),
    (_name, { scope }) => scope.item,
  );
  await lists.run({ list: [1, 2] });
  assert.equal(lists.writes.length, 8);
  lists.writes.length = 0;
  assert.equal((await failureOf(() => lists.run({ list: [1] }))).code, "odd");
  assert.equal(lists.writes.length, 2);

  const together = [
    FROM,
    named("one", "a", "parallel = true"),
    named("two", "b", "parallel = true"),
    reject("results.one + results.two > 3", "much"),
    to("c", 'parallel = true\ntransform { sum = "results.one + results.two" }'),
  ].join("\n");
  const pending: (() => void)[] = [];
  const { run, writes } = await make(together, (name, { event }) => {
    if (name === "c") return undefined;
    return new Promise((resolve) => pending.push(() => resolve(event?.input.n)));
  });
  for (const [n, code, count] of [[2, "much", 2], [1, undefined, 3]] as const) {
    writes.length = 0;
    const running = run({ n });
    assert.equal(pending.length, 2);
    pending.splice(0).forEach((resolve) => resolve());
    if (code !== undefined) assert.equal((await failureOf(() => running)).code, code);
    else await running;
    assert.equal(writes.length, count);
  }
  assert.deepEqual(writes[2].payload, { sum: 2 });
});

test("reject: a source is not asked early for one below a to", async () => {
  const body = [FROM, 'step "s" { connector = "b" }', to("c"), reject("true", "never")].join("\n");
  const { flow, writes } = await make(body);
  assert.equal(flow.waits, false);
  const event = eventOf({});
  await flow.accept(event);
  assert.equal(writes.length, 0);
  assert.equal((await failureOf(() => flow.run(event))).code, "never");
  assert.equal(writes.length, 2);
});

test("reject: a result that only a reject below uses is used", async () => {
  const body = [FROM, to("a"), named("x", "b"), reject("results.x == 7", "seven"), to("c")];
  const { run, writes } = await make(body.join("\n"), () => 1);
  await run();
  assert.deepEqual(writes.map(({ resultUsed }) => resultUsed), [false, true, false]);
});
