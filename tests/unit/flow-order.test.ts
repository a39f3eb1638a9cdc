import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, FROM, make, to } from "../support/flow.ts";

const TYPES = `
type "incoming" {
  text = string({ max_length = 5 })
  kind = string({ default = "plain" })
}
type "stored" {
  text = string
  size = number({ max = 3 })
}
`;

test("the stages of a flow have a fixed order, whatever the order in the file", async () => {
  const { run, writes } = await make(
    [
      'response {\n  size = "output.size"\n  all = "len(outputs)"\n}',
      to("b"),
      'transform {\n  text = "input.text + step.more"\n  size = "size(output.text)"\n}',
      'validate {\n  output = "stored"\n  input = "incoming"\n}',
      'step "more" {\n  connector = "c"\n  params = { kind = "input.kind" }\n}',
      'accept { when = "input.text != null" }',
      FROM,
    ].join("\n"),
    (name) => name === "c" ? "!" : { size: 7 },
    { blocks: TYPES },
  );
  const outcome = await run({ text: "ab" });
  assert.deepEqual(outcome, {
    response: { data: { size: 7, all: 1 } },
    result: { size: 7 },
    created: false,
  });
  // The step saw the default that validate.input filled in, the destination what was validated.
  assert.deepEqual(writes.map(({ payload }) => payload), [
    { kind: "plain" },
    { text: "ab!", size: 3 },
  ]);
});

test("an event that one stage refuses reaches no later stage", async () => {
  const body = (accept: string) =>
    [
      FROM,
      `accept { when = "${accept}" }`,
      'validate {\n  input = "incoming"\n  output = "stored"\n}',
      'step "s" { connector = "c" }',
      'transform {\n  text = "input.text"\n  size = "size(input.text)"\n}',
      to("b"),
    ].join("\n");
  const cases = [
    // accept, text, the code, who was asked
    ["false", "ab", "rejected", []],
    ["input.text", "ab", "flow_failed", []],
    ["true", "abcdef", "validation_failed", []],
    ["true", "abcd", "validation_failed", ["c"]],
    ["true", "abc", undefined, ["c", "b"]],
  ] as const;
  for (const [accept, text, code, asked] of cases) {
    const order: string[] = [];
    const { run } = await make(body(accept), (name) => void order.push(name), { blocks: TYPES });
    if (code === undefined) await run({ text });
    else assert.equal((await failureOf(() => run({ text }))).code, code);
    assert.deepEqual(order, asked, `${accept} ${text}`);
  }
});

test("accept refuses with a message, and runs once for an event that it has accepted before", async () => {
  const { flow, log, run } = await make(
    [FROM, 'accept { when = "input.n > 1" }', 'response { n = "input.n" }'].join("\n"),
  );
  const error = await failureOf(() => run({ n: 1 }));
  assert.deepEqual(
    [error.code, error.message, error.permanent, error.ref],
    ["rejected", 'flow "f" rejected the event', true, undefined],
  );
  assert.deepEqual(log.records.map(({ level }) => level), ["debug"]);

  const event = { operation: "x", payload: {}, input: { n: 2 } };
  assert.equal(flow.accept(event), undefined);
  event.input.n = 0;
  assert.deepEqual(await flow.run(event), {
    response: { data: { n: 0 } },
    result: undefined,
    created: false,
  });
  await failureOf(() => flow.accept({ operation: "x", payload: {}, input: { n: 0 } }));
});

test("accept may have steps", async () => {
  const body = [
    FROM,
    'accept {\n  step "member" {\n    connector = "b"\n    params = { id = "input.id" }\n  }',
    "  when = \"step.member.role == 'staff'\"\n}",
    'response { role = "step.member.role" }',
  ].join("\n");
  for (const later of [false, true]) {
    const { flow, writes } = await make(body, (_, { payload }) => {
      const row = { role: (payload as { id: number }).id === 1 ? "staff" : "guest" };
      return later ? Promise.resolve(row) : row;
    });
    const event = (id: number) => ({ operation: "x", payload: {}, input: { id } });
    const known = event(1);
    const admitted = flow.accept(known);
    assert.equal(admitted instanceof Promise, later);
    await admitted;
    const outcome = await flow.run(known);
    assert.deepEqual(outcome.response, { data: { role: "staff" } });
    assert.equal(writes.length, 1);
    assert.equal((await failureOf(() => flow.accept(event(2)))).code, "rejected");
  }
});

test("on_reject: `ack` is not an error, `requeue` is not permanent", async () => {
  const body = (settlement: string) =>
    `from { connector = "m" }\naccept {\n  when = "false"\n  on_reject = "${settlement}"\n}\n` +
    to("b");
  const acked = await make(body("ack"));
  assert.deepEqual(await acked.run(), { response: undefined, result: undefined, created: false });
  assert.deepEqual(acked.writes, []);
  // Where it decides about a connection or a room, a refusal is one.
  const event = { operation: "connect", payload: {}, input: {} };
  assert.equal((await failureOf(() => acked.flow.accept(event))).code, "rejected");
  for (const [settlement, permanent] of [["reject", true], ["requeue", false]] as const) {
    const { run } = await make(body(settlement));
    const error = await failureOf(() => run());
    assert.deepEqual([error.code, error.permanent], ["rejected", permanent]);
  }
});

test("a filter block says what happens to a message that no flow takes", async () => {
  const body = 'from {\n  connector = "m"\n  filter {\n    condition = "input.n == 1"\n' +
    '    on_reject = "requeue"\n    max_requeue = 5\n  }\n}';
  const { flow } = await make(body);
  assert.deepEqual(flow.filterRefusal, { settlement: "requeue", maxRequeue: 5 });
  assert.equal(flow.takes({ operation: "x", payload: {}, input: { n: 1 } }), true);
  assert.equal(flow.takes({ operation: "x", payload: {}, input: { n: 2 } }), false);
  const plain = await make('from {\n  connector = "m"\n  filter = "input.n == 1"\n}');
  assert.equal(plain.flow.filterRefusal, undefined);
});

test("validation reports all violations, and to the sender", async () => {
  const { run, log } = await make(
    [FROM, 'validate { input = "incoming" }', to("b")].join("\n"),
    undefined,
    { blocks: TYPES },
  );
  const error = await failureOf(() => run({ text: "abcdef", kind: 1, more: true }));
  assert.deepEqual(
    [error.code, error.message, error.permanent],
    ["validation_failed", 'flow "f": the data is not a valid incoming', true],
  );
  assert.deepEqual(
    (error.details as { path: string }[]).map(({ path }) => path).sort(),
    ["kind", "more", "text"],
  );
  assert.deepEqual(log.records.map(({ level }) => level), ["debug"]);
});

test("a default fills the field in payload and input, never in the metadata or the original data", async () => {
  const { flow, writes } = await make(
    [FROM, 'validate { input = "incoming" }', to("b", "when = \"input.kind == 'plain'\""), to("c")]
      .join("\n"),
    undefined,
    { blocks: TYPES },
  );
  const sent = { text: "a" };
  await flow.run({ operation: "x", payload: sent, input: { ...sent, data: sent } });
  assert.deepEqual(writes.map(({ payload }) => payload), [
    { text: "a", kind: "plain" },
    { text: "a", kind: "plain" },
  ]);
  assert.deepEqual(writes[0].scope.input, { text: "a", kind: "plain", data: { text: "a" } });
  // Here `kind` on input is the source's own: the sender's field was not there.
  writes.length = 0;
  await flow.run({ operation: "x", payload: sent, input: { ...sent, kind: "metadata" } });
  assert.deepEqual(writes.map(({ payload }) => payload), [{ text: "a", kind: "plain" }]);
});

test("a named transform runs first; the flow's own fields see and replace its fields", async () => {
  const blocks = 'transform "base" {\n  a = "input.n + 1"\n  b = "output.a * 10"\n}';
  const { run, writes } = await make(
    [FROM, 'transform {\n  use = "transform.base"\n  a = "output.b"\n  c = "output.a"\n}', to("b")]
      .join("\n"),
    undefined,
    { blocks },
  );
  await run({ n: 1 });
  assert.deepEqual(writes[0].payload, { a: 20, b: 20, c: 20 });
});

test("a transform of a destination applies to it alone, and sees the flow's output", async () => {
  const blocks = 'transform "base" { kind = "\'x\'" }';
  const { run, writes } = await make(
    [
      FROM,
      'transform { n = "input.n * 2" }',
      to(
        "a",
        'target = "output.n2"\ntransform {\n  use = "transform.base"\n  n2 = "output.n + 1"\n  n = "output.n2"\n}',
      ),
      to("b"),
      'response { n = "output" }',
    ].join("\n"),
    (name, { payload }) => name === "a" ? payload : undefined,
    { blocks },
  );
  const outcome = await run({ n: 3 });
  assert.deepEqual(writes.map(({ payload }) => payload), [{ kind: "x", n2: 7, n: 7 }, { n: 6 }]);
  assert.deepEqual(writes.map(({ target }) => target), ["7", undefined]);
  assert.deepEqual(outcome.response, { data: { n: { kind: "x", n2: 7, n: 7 } } });
});

test("only the log names the flow, block, line and expression of a failure", async () => {
  const { run, log } = await make(
    [FROM, "transform {", '  ok = "1"', '  sum = "input.text + 1 - input.text"', "}"].join("\n"),
  );
  const error = await failureOf(() => run({ text: "secret" }));
  const [{ text }] = log.records;
  assert.match(text, /flow f failed/);
  assert.match(text, /config\.hcl:\d+ \(flow "f", transform: sum\)/);
  assert.match(text, /input\.text \+ 1 - input\.text/);
  assert.equal(error.message, `flow "f" failed (ref ${error.ref})`);
});
