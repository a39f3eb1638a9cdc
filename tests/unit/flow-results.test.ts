/** What destinations see of the payload and of each other's results. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { failureOf, FROM, make, to } from "../support/flow.ts";

/** A destination with a name. */
function named(name: string, connector: string, rest = ""): string {
  return `to "${name}" {\nconnector = "${connector}"\n${rest}\n}`;
}

test("payload is what the transform made, in a destination, its transform and the response", async () => {
  const { run, writes } = await make(
    [
      FROM,
      'transform { n = "input.n + 1" }',
      to(
        "a",
        'target = "payload.n"\ntransform {\n n = "output.n * 10"\n sum = "output.n + payload.n"\n}',
      ),
      'response {\n payload = "payload"\n output = "output"\n}',
    ].join("\n"),
    () => "stored",
  );
  const { response } = await run({ n: 1 });
  assert.deepEqual(writes[0].payload, { n: 20, sum: 22 });
  assert.equal(writes[0].target, "2");
  assert.deepEqual(response, { data: { payload: { n: 2 }, output: "stored" } });
});

test("without a transform payload is what came, whatever it is; a default of a type is in it", async () => {
  const { run } = await make([FROM, to("a"), 'response { payload = "payload" }'].join("\n"));
  assert.deepEqual((await run({ n: 1 })).response, { data: { payload: { n: 1 } } });
  const typed = await make(
    [FROM, 'validate { input = "t" }', to("a"), 'response { n = "payload.n" }'].join("\n"),
    undefined,
    { blocks: 'type "t" {\n n = number({ default = 7 })\n}' },
  );
  assert.deepEqual((await typed.run({})).response, { data: { n: 7 } });
});

test("a fallback sees the payload and its own transform as output", async () => {
  const { run, writes } = await make(
    [
      FROM,
      'transform { n = "input.n" }',
      to("a"),
      'error_handling {\nfallback {\nconnector = "b"\ntarget = "payload.n"\ntransform {\n n = "output.n + payload.n"\n}\n}\n}',
    ].join("\n"),
    (name) => {
      if (name === "a") throw new Error("away");
    },
  );
  await run({ n: 2 });
  assert.deepEqual(writes[1].payload, { n: 4 });
  assert.equal(writes[1].target, "2");
});

test("results and outputs are those before a destination; null for a skipped one", async () => {
  const { run, writes } = await make(
    [
      FROM,
      named("saved", "a"),
      named("none", "b", 'when = "false"'),
      to("c", 'transform {\n id = "results.saved.id"\n none = "results.none"\n all = "outputs"\n}'),
      'response {\n id = "results.saved.id"\n names = "results"\n count = "len(outputs)"\n}',
    ].join("\n"),
    (name) => ({ id: name }),
  );
  const { response } = await run();
  const all = [{ id: "a" }, null];
  assert.deepEqual(writes.map(({ payload }) => payload), [{}, { id: "a", none: null, all }]);
  const names = { saved: { id: "a" }, none: null };
  assert.deepEqual(plain(response), { data: { id: "a", names, count: 3 } });
});

test("destinations with and without a name run in the order written", async () => {
  const seen: string[] = [];
  const { run } = await make(
    [
      FROM,
      to("c"),
      named("z", "b"),
      to("a"),
      named("y", "c"),
      'transform { n = "1" }',
      to("b"),
      'response { all = "outputs" }',
    ].join("\n"),
    (name) => {
      seen.push(name);
      return name;
    },
  );
  const all = ["c", "b", "a", "c", "b"];
  assert.deepEqual((await run()).response, { data: { all } });
  assert.deepEqual(seen, all);
});

test("neighbours that run in parallel do not see each other's results; the next one does", async () => {
  const { run, writes } = await make(
    [
      FROM,
      named("first", "a", "parallel = true"),
      named("second", "b", 'parallel = true\ntransform {\n seen = "outputs"\n}'),
      to("c", 'transform {\n seen = "[results.first, results.second]"\n all = "outputs"\n}'),
    ].join("\n"),
    (name) => name,
  );
  await run();
  assert.deepEqual(writes.slice(1).map(({ payload }) => payload), [
    { seen: [] },
    { seen: ["a", "b"], all: ["a", "b"] },
  ]);
});

test("a retry keeps the results of the destinations before", async () => {
  let tries = 0;
  const { run, writes } = await make(
    [
      FROM,
      named("saved", "a"),
      to("b", 'transform {\n id = "results.saved"\n all = "outputs"\n}'),
      'error_handling {\nretry {\nattempts = 2\ndelay = "1ms"\n}\n}',
    ].join("\n"),
    (name) => {
      if (name === "b" && ++tries === 1) throw new Error("away");
      return name;
    },
    { clock: systemClock },
  );
  await run();
  const seen = { id: "a", all: ["a"] };
  assert.deepEqual(writes.map(({ payload }) => payload), [{}, seen, seen]);
});

test("a destination is asked for a result where a later one or the response reads it", async () => {
  const { run, writes } = await make([
    FROM,
    named("saved", "a"),
    to("b"),
    to("c", 'when = "results.saved == null"'),
    to("c"),
  ].join("\n"));
  await run();
  assert.deepEqual(writes.map(({ resultUsed }) => resultUsed), [true, false, false, false]);
  const list = await make(
    [FROM, to("a"), to("b", `target = "'x' + outputs[0]"`)].join("\n"),
    (name) => name,
  );
  await list.run();
  assert.deepEqual(list.writes.map(({ resultUsed }) => resultUsed), [true, false]);
  const answered = await make([FROM, named("x", "a"), 'response { x = "results.x" }'].join("\n"));
  await answered.run();
  assert.equal(answered.writes[0].resultUsed, true);
});

test("the response asks only the destinations that it reads", async () => {
  const first = 'when = "true"';
  const table: readonly (readonly [response: string, used: readonly boolean[]])[] = [
    // The first one that is not skipped is at the second place at the latest.
    ["output.id", [true, true, false, false]],
    ["output", [true, true, false, false]],
    ["results.saved", [false, false, true, false]],
    ["results", [false, false, true, false]],
    ["results[input.name]", [false, false, true, false]],
    ["outputs[3]", [true, true, true, true]],
    ["payload", [false, false, false, false]],
  ];
  for (const [response, used] of table) {
    const { run, writes } = await make(
      [
        ...[FROM, to("a", first), to("b"), named("saved", "c"), to("a")],
        `response {\n x = "${response}"\n}`,
      ].join("\n"),
      (name) => ({ id: name }),
    );
    await run({ name: "saved" });
    assert.deepEqual(writes.map(({ resultUsed }) => resultUsed), used, response);
  }
});

test("a name may be any text, such as __proto__", async () => {
  const { run } = await make(
    [
      FROM,
      named("__proto__", "a"),
      named("constructor", "b"),
      'response {\n a = "results[\'__proto__\'].id"\n b = "results.constructor.id"\n}',
    ].join("\n"),
    (name) => ({ id: name }),
  );
  assert.deepEqual((await run()).response, { data: { a: "a", b: "b" } });
});

test("extend adds lines: to what came, to the payload, to what the fallback would get", async () => {
  const { run, writes } = await make(
    [
      FROM,
      'transform {\n extend = true\n twice = "output.n * 2"\n n = "input.n + 1"\n}',
      to("a", 'transform {\n extend = true\n sum = "output.n + output.twice"\n twice = "0"\n}'),
      to("b"),
      to("c"),
      'error_handling {\nfallback {\nconnector = "b"\ntransform {\n extend = true\n why = "error.code"\n}\n}\n}',
    ].join("\n"),
    (name) => {
      if (name === "c") throw new Error("away");
    },
  );
  await run({ n: 1, who: "ada" });
  const payload = { n: 2, who: "ada", twice: 2 };
  assert.deepEqual(writes.map((write) => write.payload), [
    { ...payload, twice: 0, sum: 4 },
    payload,
    payload,
    { ...payload, why: "flow_failed" },
  ]);
});

test("extend goes with use; extend = false replaces the payload", async () => {
  const blocks = 'transform "stamped" { at = "input.n" }';
  for (const [extend, expected] of [["true", { n: 1, at: 1, x: 2 }], ["false", { at: 1, x: 2 }]]) {
    const { run, writes } = await make(
      [
        FROM,
        to("a", `transform {\n use = "transform.stamped"\n extend = ${extend}\n x = "2"\n}`),
      ].join("\n"),
      undefined,
      { blocks },
    );
    await run({ n: 1 });
    assert.deepEqual(writes[0].payload, expected);
  }
});

test("extend of what is no object fails for good, and the log names the place", async () => {
  const { run, writes, log } = await make([
    FROM,
    to("a", 'transform {\n extend = true\n x = "1"\n}'),
    "error_handling {\nretry { attempts = 3 }\n}",
  ].join("\n"));
  const failure = await failureOf(() => run([1] as unknown as Record<string, unknown>));
  assert.equal(failure.permanent, true);
  assert.equal(writes.length, 0);
  const { text } = log.records[0];
  assert.match(text, /config\.hcl:\d+ \(flow "f", to, transform\): a transform with extend = true/);
  assert.match(text, /adds to an object, not to a list/);
});

test("a target that begins with results is a name where no destination has one", async () => {
  const { run, writes } = await make([FROM, to("a", 'target = "results.new"')].join("\n"));
  await run();
  assert.equal(writes[0].target, "results.new");
});

test("results, outputs and match alone are names, for what is called so", async () => {
  for (const name of ["results", "outputs", "match"]) {
    const { run, writes } = await make(
      [FROM, named("x", "a"), to("b", `target = "${name}"`)].join("\n"),
    );
    await run();
    assert.equal(writes[1].target, name);
  }
});

/** Without the prototypes that objects from expressions do not have. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
