import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../support/clock.ts";
import type { Client, Connector, FlowEvent } from "../../src/contract/connector.ts";
import { ConnectorError, ExpressionError, FlowError } from "../../src/base/errors.ts";
import { Flow } from "../../src/flow/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { eventOf, failureOf, FROM, make, probes, to } from "../support/flow.ts";
import { recorder } from "../support/log.ts";

test("a flow whose destinations are synchronous is synchronous, and keeps their order", async () => {
  const order: string[] = [];
  const { run } = await make(
    [FROM, to("a"), to("b"), to("c"), to("a")].join("\n"),
    (name) => {
      order.push(name);
      return `${name}${order.length}`;
    },
  );
  const outcome = run();
  assert.ok(!(outcome instanceof Promise));
  assert.deepEqual(order, ["a", "b", "c", "a"]);
  assert.deepEqual(outcome, { response: undefined, result: "a1", created: false });
});

test("each destination starts when the previous one has ended", async () => {
  const log: string[] = [];
  const { run } = await make([FROM, to("a"), to("b"), to("c")].join("\n"), async (name) => {
    log.push(`begin ${name}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
    log.push(`end ${name}`);
    return name;
  });
  const outcome = await run();
  assert.deepEqual(log, ["begin a", "end a", "begin b", "end b", "begin c", "end c"]);
  assert.equal(outcome.result, "a");
});

test("synchronous and asynchronous destinations mix, and any thenable is awaited", async () => {
  const { run, writes } = await make(
    [FROM, to("a"), to("b"), to("c"), 'response {\nall = "outputs"\n}'].join("\n"),
    (name) => {
      if (name === "a") return 1;
      if (name === "b") return Promise.resolve(2);
      return { then: (resolve: (value: number) => void) => resolve(3) };
    },
  );
  assert.deepEqual((await run()).response, { data: { all: [1, 2, 3] } });
  assert.equal(writes.length, 3);
});

test("many synchronous destinations do not deepen the stack", async () => {
  const { run, writes } = await make([FROM, ...Array(2000).fill(to("a"))].join("\n"));
  run();
  assert.equal(writes.length, 2000);
});

test("the request that a destination receives", async () => {
  const { flow, writes } = await make(
    [FROM, to("a", 'operation = "send"\ntarget = "input.room"')].join("\n"),
  );
  const event = eventOf({ room: "r", n: 1 });
  flow.run(event);
  const [{ operation, target, payload, options, scope, event: given }] = writes;
  assert.deepEqual([operation, target, options], ["send", "r", {}]);
  assert.equal(payload, event.payload);
  assert.equal(given, event);
  assert.deepEqual(scope.constants, { limit: 5 });
  assert.equal(scope.input, event.input);
  assert.equal(scope.client, null);
});

test("without a transform the payload is unchanged; with one it is built field by field", async () => {
  const payload = { text: " hi ", more: [1] };
  const plain = await make([FROM, to("a")].join("\n"));
  plain.run(payload);
  assert.equal(plain.writes[0].payload, payload);

  const { run, writes } = await make(
    `${FROM}
    transform {
      z      = "trim(input.text)"
      a      = "output.z + '!'"
      b      = "output.a + output.z"
      absent = "output.later"
      later  = "constants.limit"
    }
    ${to("a")}`,
  );
  run(payload);
  assert.deepEqual(writes[0].payload, { z: "hi", a: "hi!", b: "hi!hi", absent: null, later: 5 });
  assert.deepEqual(Object.keys(writes[0].payload as object), ["z", "a", "b", "absent", "later"]);
});

test("a field may be called __proto__, in a transform and in a response", async () => {
  const { run, writes } = await make(
    `${FROM}
    transform {
      __proto__   = "input.data"
      constructor = "1"
      own         = "has(output.admin)"
    }
    ${to("a")}
    response {
      __proto__ = "2"
    }`,
    (_name, { payload }) => payload,
  );
  const { response } = await run({ data: { admin: true } });
  const payload = writes[0].payload as Readonly<Record<string, unknown>>;
  assert.deepEqual(Object.keys(payload), ["__proto__", "constructor", "own"]);
  assert.equal(payload.own, false);
  assert.equal(payload.admin, undefined);
  assert.equal(Object.getPrototypeOf(payload), Object.prototype);
  assert.deepEqual(Object.entries(response?.data as object), [["__proto__", 2]]);
});

test("a destination is skipped if when is false or null", async () => {
  const { run, writes } = await make(
    [
      FROM,
      to("a", 'when = "input.n > 1"'),
      to("b", 'when = "input.missing"'),
      to("c", 'when = "output.n == 1 || output.n == 2"'),
      'response {\nall = "outputs"\nfirst = "output"\n}',
    ].join("\n"),
    (name) => name,
  );
  const first = await run({ n: 1 });
  assert.deepEqual(first.response, { data: { all: [null, null, "c"], first: "c" } });
  assert.equal(first.result, "c");
  assert.deepEqual((await run({ n: 2 })).response?.data, { all: ["a", null, "c"], first: "a" });
  assert.equal(writes.length, 3);
});

test("all destinations skipped: no result", async () => {
  const { run } = await make(
    [FROM, to("a", 'when = "false"'), 'response {\nr = "output"\n}'].join("\n"),
  );
  const nothing = { response: { data: { r: null } }, result: undefined, created: false };
  assert.deepEqual(run(), nothing);
});

test("result, output and created are those of the first destination that was not skipped", async () => {
  const body = (first: string, second: string) =>
    [FROM, to("a", first), to("b", second), 'response {\nr = "output"\n}'].join("\n");
  const create = 'operation = "create"';
  const cases: ReadonlyArray<
    readonly [first: string, second: string, given: unknown, result: unknown, created: boolean]
  > = [
    [create, "", { id: 1 }, { id: 1 }, true],
    ["", create, { id: 1 }, { id: 1 }, false],
    ["", create, undefined, undefined, false],
    [create, "", undefined, undefined, true],
    ["", create, null, null, false],
    [create, "", 0, 0, true],
    [create, "", "", "", true],
    ['when = "false"', create, "unused", "b", true],
  ];
  for (const [first, second, given, result, created] of cases) {
    const { run } = await make(body(first, second), (name) => name === "a" ? given : "b");
    assert.deepEqual(await run(), {
      response: { data: { r: result ?? null } },
      result,
      created,
    });
  }
});

test("a flow without destinations responds with the output of the transform", async () => {
  const echo = await make(`${FROM}\nresponse {\nr = "output"\ns = "outputs"\n}`);
  const payload = { text: "x" };
  assert.deepEqual(echo.run(payload), {
    response: { data: { r: { text: "x" }, s: [] } },
    result: undefined,
    created: false,
  });
  const shaped = await make(
    `${FROM}\ntransform {\nb = "input.text + '!'"\n}\nresponse {\nr = "output.b"\n}`,
  );
  assert.deepEqual((await shaped.run(payload)).response, { data: { r: "x!" } });
});

test("an empty transform delivers an empty object, an empty response has no data", async () => {
  const { run, writes } = await make(`${FROM}\ntransform {\n}\n${to("a")}\nresponse {\n}`);
  assert.deepEqual((await run({ a: 1 })).response, { data: {} });
  assert.deepEqual(writes[0].payload, {});
});

test("target: a literal name, text, a whole number", async () => {
  const cases: ReadonlyArray<readonly [target: string, input: unknown, found: string | undefined]> =
    [
      ['target = "orders"', 1, "orders"],
      ["target = \"'orders'\"", 1, "orders"],
      ['target = "input.x"', "room", "room"],
      ['target = "input.x"', "", ""],
      ['target = "input.x"', 7, "7"],
      ['target = "input.x"', 1.5, "1.5"],
      ['target = "input.x"', "__proto__", "__proto__"],
      ['target = "output.x"', "out", "out"],
      ["", 1, undefined],
    ];
  for (const [target, x, found] of cases) {
    const { run, writes } = await make([FROM, to("a", target)].join("\n"));
    run({ x });
    assert.equal(writes[0].target, found, target);
  }
});

test("target: anything else is an error, never a room called null", async () => {
  const cases: ReadonlyArray<readonly [value: unknown, kind: string]> = [
    [null, "null"],
    [undefined, "null"],
    [true, "a boolean"],
    [["a"], "a list"],
    [{ a: 1 }, "an object"],
  ];
  for (const [x, kind] of cases) {
    const { run, writes, log } = await make([FROM, to("a", 'target = "input.x"')].join("\n"));
    const error = await failureOf(() => run({ x }));
    assert.ok(error.cause instanceof ExpressionError);
    assert.equal(error.cause.message, `the target "input.x" is ${kind}, not a name`);
    assert.equal(error.permanent, true);
    assert.equal(writes.length, 0);
    assert.equal(log.records.length, 1);
  }
});

test("filter decides which events a flow takes", async () => {
  const body = (filter: string) => `from {\nconnector = "a"\nfilter = "${filter}"\n}`;
  const client = { id: "1", user_id: "u" } as Client;
  const cases: ReadonlyArray<readonly [filter: string, takes: boolean]> = [
    ["input.n == 1", true],
    ["input.n == 2", false],
    ["input.missing", false],
    ["client.user_id == 'u'", true],
    ["constants.limit > input.n", true],
  ];
  for (const [filter, takes] of cases) {
    const { flow, log } = await make(body(filter));
    assert.equal(flow.takes(eventOf({ n: 1 }, client)), takes, filter);
    assert.equal(log.records.length, 0);
  }
  const { flow } = await make(FROM);
  assert.equal(flow.takes(eventOf({})), true);
  const scheduled = await make('when = "@daily"');
  assert.equal(scheduled.flow.takes(eventOf({})), true);
});

test("a filter that fails is a failure of the flow, logged once", async () => {
  const { flow, log } = await make('from {\nconnector = "a"\nfilter = "input.n"\n}');
  const error = await failureOf(() => flow.takes(eventOf({ n: 1 })));
  assert.equal(error.permanent, true);
  assert.equal(log.records.length, 1);
  assert.match(log.records[0].text, /"input\.n" must be true or false, got a number$/);
});

test("the client comes from the source, never from the payload", async () => {
  const { run } = await make(`${FROM}\nresponse {\nid = "client.id"\nc = "input.client"\n}`);
  const client = { id: "real" } as Client;
  assert.deepEqual((await run({ client: { id: "forged" } }, client)).response, {
    data: { id: "real", c: { id: "forged" } },
  });
});

test("input is read only if an expression uses it", async () => {
  const { flow } = await make(`${FROM}\n${to("a")}\nresponse {\nfixed = "1"\n}`);
  const event: FlowEvent = {
    operation: "message",
    payload: {},
    get input(): never {
      return assert.fail("nobody asked");
    },
  };
  assert.deepEqual((await flow.run(event)).response, { data: { fixed: 1 } });
});

test("a failure stops the later destinations, and is logged once, with its reference", async () => {
  const cause = new ConnectorError("b", "is down");
  for (const later of [false, true]) {
    const { run, writes, log } = await make(
      [FROM, to("a"), to("b"), to("c")].join("\n"),
      (name) => {
        if (name !== "b") return later ? Promise.resolve(name) : name;
        if (later) return Promise.reject(cause);
        throw cause;
      },
    );
    const error = await failureOf(() => run());
    assert.equal(writes.length, 2);
    assert.deepEqual([error.flow, error.code, error.permanent], ["f", "flow_failed", false]);
    assert.equal(error.cause, cause);
    assert.match(error.ref ?? "", /^[0-9a-f]{8}$/);
    assert.equal(error.message, `flow "f" failed (ref ${error.ref})`);
    assert.deepEqual(log.records, [{
      level: "error",
      text: `flow f failed (ref ${error.ref}): connector "b": is down`,
      properties: { flow: "f", ref: error.ref, reason: cause.message, error: cause },
    }]);
  }
});

test("a synchronous failure is thrown, an asynchronous one rejects", async () => {
  const { run } = await make([FROM, to("a")].join("\n"), () => {
    throw new Error("now");
  });
  assert.throws(run, FlowError);
  const late = await make([FROM, to("a")].join("\n"), () => Promise.reject(new Error("later")));
  const outcome = late.run();
  assert.ok(outcome instanceof Promise);
  await assert.rejects(outcome, FlowError);
});

test("permanent: failures that a retry cannot fix", async () => {
  const cases: ReadonlyArray<readonly [cause: unknown, permanent: boolean]> = [
    [new ConnectorError("a", "down"), false],
    [new ConnectorError("a", "no such column", { permanent: true }), true],
    [new ExpressionError("x", "failed"), true],
    [new Error("who knows"), false],
    [new TypeError("a bug"), false],
    ["text", false],
    [undefined, false],
    [null, false],
    [Symbol("odd"), false],
  ];
  for (const [cause, permanent] of cases) {
    const { run, log } = await make([FROM, to("a")].join("\n"), () => Promise.reject(cause));
    const error = await failureOf(() => run());
    assert.equal(error.permanent, permanent, String(cause));
    assert.equal(error.cause, cause);
    assert.equal(log.records.length, 1);
  }
});

test("an expression that fails: in the transform, a when or the response", async () => {
  const bodies: ReadonlyArray<readonly [body: string, written: number]> = [
    [`${FROM}\ntransform {\na = "1"\nb = "input.n + input.missing"\n}\n${to("a")}`, 0],
    [`${FROM}\n${to("a")}\n${to("b", 'when = "input.n"')}`, 1],
    [`${FROM}\n${to("a")}\nresponse {\na = "input.n < input.missing"\n}`, 1],
  ];
  for (const [body, written] of bodies) {
    const { run, writes, log } = await make(body);
    const error = await failureOf(() => run({ n: 1 }));
    assert.equal(error.permanent, true);
    assert.ok(error.cause instanceof ExpressionError);
    assert.equal(writes.length, written);
    assert.equal(log.records.length, 1);
  }
});

test("a failure of another flow is passed on unchanged, and not logged again", async () => {
  const inner = new FlowError("inner", "timeout", { ref: "0badc0de" });
  const { run, log } = await make([FROM, to("a")].join("\n"), () => Promise.reject(inner));
  assert.equal(await failureOf(() => run()), inner);
  assert.equal(log.records.length, 0);
});

test("a write to a connector without writes is a permanent failure", async () => {
  const model = await loadConfig(
    `connector "a" {\n  type = "probe"\n}\nflow "f" {\n${FROM}\n${to("a")}\n}\n`,
    { connectors: probes },
  );
  for (const connectors of [new Map<string, Connector>(), new Map([["a", {}]])]) {
    const log = recorder();
    const flow = new Flow(model.flows[0], {
      connectors,
      constants: {},
      logger: log.logger,
      clock: new ManualClock(),
      random: () => 0.5,
    });
    const error = await failureOf(() => flow.run(eventOf({})));
    assert.equal(error.permanent, true);
    assert.equal((error.cause as Error).message, 'connector "a": does not support writes');
  }
});

test("concurrent runs of a flow are independent", async () => {
  const ends: (() => void)[] = [];
  const { run } = await make(
    `${FROM}\ntransform {\nn = "input.n"\n}\n${to("a")}\n${
      to("b")
    }\nresponse {\nn = "outputs[1]"\n}`,
    (_name, { payload }) =>
      new Promise((resolve) => ends.push(() => resolve((payload as { n: number }).n))),
  );
  const runs = [1, 2, 3].map((n) => Promise.resolve(run({ n })));
  while (ends.length > 0) {
    ends.pop()?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const responses = await Promise.all(runs);
  assert.deepEqual(responses.map(({ response }) => response?.data), [{ n: 1 }, { n: 2 }, { n: 3 }]);
});
