import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { failureOf, FROM, make, to } from "../support/flow.ts";

function step(name: string, rest: string): string {
  return `step "${name}" {\n  connector = "b"\n${rest}\n}`;
}

test("steps run in order and see earlier results; they send params or the payload", async () => {
  const { run, writes } = await make(
    [
      FROM,
      step("first", '  operation = "read"\n  target = "input.table"'),
      step("second", '  params = {\n    id = "step.first.id + 1"\n  }'),
      'transform { sum = "step.first.id + step.second.id" }',
      to("c"),
    ].join("\n"),
    (name, { payload }) => name === "c" ? undefined : { id: (payload as { id?: number }).id ?? 40 },
  );
  await run({ table: "people" });
  const [first, second, last] = writes;
  assert.deepEqual(
    [first.operation, first.target, first.payload],
    ["read", "people", { table: "people" }],
  );
  assert.deepEqual(second.payload, { id: 41 });
  assert.deepEqual(last.payload, { sum: 81 });
});

test("a step that is skipped, finds nothing or may fail has its default as the result", async () => {
  const cases = [
    ['when = "false"', "row", null],
    ['when = "false"\ndefault = "none"', "row", "none"],
    ['when = "true"\ndefault = "none"', "row", "row"],
    ["default = { a = 1 }", null, { a: 1 }],
    ["", null, null],
    ['on_error = "skip"', new Error("away"), null],
    ['on_error = "skip"\ndefault = 7', new Error("away"), 7],
  ] as const;
  for (const [rest, answer, expected] of cases) {
    for (const later of [false, true]) {
      const { run } = await make(
        [FROM, step("s", rest), 'response { s = "step.s" }'].join("\n"),
        () => {
          if (answer instanceof Error && !later) throw answer;
          if (!later) return answer;
          return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
        },
      );
      assert.deepEqual((await run()).response, { data: { s: expected } }, rest);
    }
  }
});

test("a step that fails, fails the flow", async () => {
  const cause = new ConnectorError("b", "is down");
  const { run, writes } = await make([FROM, step("s", ""), to("c")].join("\n"), () => {
    throw cause;
  });
  const error = await failureOf(() => run());
  assert.deepEqual([error.code, error.cause, error.permanent], ["flow_failed", cause, false]);
  assert.equal(writes.length, 1);
});

test("a step has its own timeout, and a late result changes nothing", async () => {
  for (
    const [rest, code] of [["", "timeout"], ['on_error = "skip"\ndefault = 1', undefined]] as const
  ) {
    const clock = new ManualClock();
    const pending = Promise.withResolvers<unknown>();
    const { run, writes } = await make(
      [FROM, step("s", `timeout = "2s"\n${rest}`), 'transform { s = "step.s" }', to("c")].join(
        "\n",
      ),
      (name) => name === "b" ? pending.promise : undefined,
      { clock },
    );
    const running = Promise.resolve(run()).catch((error) => error);
    await clock.advance(1_999);
    assert.equal(writes.length, 1);
    await clock.advance(1);
    pending.resolve("late");
    const ending = await running;
    assert.equal(ending.code, code);
    assert.deepEqual(writes.slice(1).map(({ payload }) => payload), code ? [] : [{ s: 1 }]);
    await settle();
  }
});

test("a step may have the name of a property of every object", async () => {
  const { run } = await make(
    [FROM, step("__proto__", ""), step("constructor", ""), 'response { a = "step.constructor" }']
      .join("\n"),
    () => "row",
  );
  assert.deepEqual((await run()).response, { data: { a: "row" } });
});
