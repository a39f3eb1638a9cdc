/** The steps that the expressions of one run of a flow share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { ManualClock } from "../support/clock.ts";
import { eventOf, failureOf, FROM, make, to } from "../support/flow.ts";

const numbers = { list: Array.from({ length: 1_000 }, (_, i) => i) };

/** About 5 million steps for 1000 items. */
const COSTLY = "input.list.all(a, input.list.all(b, b >= 0 && a >= 0))";

function transform(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `t${i} = "${COSTLY}"`);
  return `transform {\n${lines.join("\n")}\n}`;
}

test("the fields of a transform share the steps of one event; the next event has its own", async () => {
  const { run, log } = await make(
    [FROM, transform(1), 'response { good = "output.t0" }'].join("\n"),
  );
  assert.deepEqual((await run(numbers)).response, { data: { good: true } });
  assert.deepEqual((await run(numbers)).response, { data: { good: true } });
  const many = await make([FROM, transform(4)].join("\n"));
  assert.equal((await failureOf(() => many.run(numbers))).code, "flow_failed");
  const [{ text }] = many.log.records;
  assert.match(text, /t\d.*needs more steps than the 10 million/s);
  assert.equal(log.records.length, 0);
});

test("each retry has its own steps, and so has the fallback", async () => {
  const clock = new ManualClock();
  const { run, writes } = await make(
    [
      FROM,
      to("a", transform(1)),
      `error_handling {\nretry { attempts = 4 }\nfallback {\nconnector = "b"\n${
        transform(1)
      }\n}\n}`,
    ].join("\n"),
    (name) => {
      if (name === "a") throw new ConnectorError("a", "is away");
    },
    { clock },
  );
  const running = run(numbers);
  await clock.advance(20_000);
  await running;
  // The fallback's own expressions run, and where it failed the event would have.
  assert.deepEqual(writes.map(({ payload }) => payload), Array(5).fill({ t0: true }));
});

test("a failure because no steps are left is not retried, and goes to the fallback", async () => {
  const { run, writes } = await make(
    [
      FROM,
      transform(4),
      to("a"),
      'error_handling {\nretry { attempts = 4 }\nfallback {\nconnector = "b"\ntransform { why = "error.message" }\n}\n}',
    ].join("\n"),
  );
  await run(numbers);
  assert.equal(writes.length, 1);
  assert.match(String((writes[0].payload as { why: unknown }).why), /needs more steps/);
});

test("an answer at a gate has steps of its own, also where the gate has used them up", async () => {
  const body = [
    FROM,
    `reject {\nwhen = "${Array(4).fill(COSTLY).join(" && ")} && false"\ncode = "never"\n}`,
    `error_handling {\nerror_response {\nbody { all = "${COSTLY}" }\n}\n}`,
  ].join("\n");
  const { flow } = await make(body);
  const { code, answer } = await failureOf(() => flow.accept(eventOf(numbers)));
  assert.deepEqual([code, answer?.body], ["flow_failed", { all: true }]);
});
