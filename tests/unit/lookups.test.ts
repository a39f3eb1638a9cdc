import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connector, ConnectorContext, WriteRequest } from "../../src/contract/connector.ts";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import { ResultCache, sizeOf } from "../../src/flow/cache.ts";
import type { Expression } from "../../src/expression/mod.ts";
import { expression, expressionMap, expressions } from "../../src/contract/expression-fields.ts";
import { assembleRuntime } from "../../src/runtime/mod.ts";
import { lookups } from "../../src/contract/step-fields.ts";
import { ManualClock } from "../support/clock.ts";
import { problemsOf } from "../support/config.ts";

/** What a desk looks up when it is asked, and what its shelf answers. */
interface Office {
  readonly clock: ManualClock;
  readonly requests: readonly WriteRequest[];
  /** Runs the look-ups with these variables; `["found", …]` or `["failed", message]`. */
  ask(input: unknown): Promise<readonly unknown[]>;
  /** The same, without waiting. */
  askNow(input: unknown): unknown;
}

/** A connector whose block has look-ups, and one that they may ask. */
async function office(
  steps: string,
  answer: (request: WriteRequest, clock: ManualClock) => unknown,
  work: (office: Office) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock();
  const requests: WriteRequest[] = [];
  let askNow: Office["askNow"] = () => assert.fail("no desk was made");
  const types: Readonly<Record<string, ConnectorType>> = {
    desk: defineConnector({
      fields: { step: lookups({ about: "" }) },
      create({ step }, { lookUp, constants }: ConnectorContext): Connector {
        askNow = (input) => lookUp(step, { constants, input }, { whole: input });
        return {};
      },
    }),
    shelf: defineConnector({
      fields: {},
      destination: {
        fields: {
          key: expression({ about: "" }),
          labels: expressionMap({ about: "" }),
          lines: expressions({ about: "" }),
        },
      },
      create: () => ({
        write(request) {
          requests.push(request);
          return answer(request, clock);
        },
      }),
    }),
  };
  // The desk comes first: what it asks is made after it.
  const config = `
    constants {
      shelf = "main"
    }
    connector "d" {
      type = "desk"
      ${steps}
    }
    connector "s" {
      type = "shelf"
    }
  `;
  const runtime = await assembleRuntime(config, { connectors: withInput(types), clock });
  await runtime.start();
  try {
    await work({
      clock,
      requests,
      askNow: (input) => askNow(input),
      async ask(input) {
        try {
          return ["found", { ...await askNow(input) as object }];
        } catch (error) {
          return ["failed", error instanceof Error ? error.message : error];
        }
      },
    });
  } finally {
    await runtime.close();
  }
}

/** The desk's expressions may use `input` and `step`. */
function withInput(
  types: Readonly<Record<string, ConnectorType>>,
): Readonly<Record<string, ConnectorType>> {
  const field = lookups({ about: "" });
  const step: typeof field = {
    ...field,
    read: (body, name, owner, context) =>
      field.read(body, name, owner, {
        ...context,
        variables: [...context.variables, "input", "step"],
      }),
  };
  return { ...types, desk: { ...types.desk, fields: { step } } };
}

/** A look-up of this name. */
function step(name: string, lines: string): string {
  return `step "${name}" {\nconnector = "s"\n${lines}\n}\n`;
}

test("look-ups run in order, with the results before them, without a flow", async () => {
  const steps = step("a", 'target = "input.id"\nparams = { id = "input.id" }') +
    step("__proto__", 'target = "constants.shelf"\nparams = { a = "step.a.name" }') +
    step("whole", 'target = "all"');
  await office(steps, ({ target }) => ({ name: target }), async ({ ask, askNow, requests }) => {
    assert.equal(askNow({ id: 7 }) instanceof Promise, false, "there was nothing to wait for");
    const [, found] = await ask({ id: 7 });
    assert.deepEqual(Object.entries(found as object), [
      ["a", { name: "7" }],
      ["__proto__", { name: "main" }],
      ["whole", { name: "all" }],
    ]);
    assert.deepEqual(requests.slice(3).map(({ target, payload }) => [target, payload]), [
      ["7", { id: 7 }],
      ["main", { a: "7" }],
      ["all", { whole: { id: 7 } }],
    ]);
    assert.ok(requests.every(({ event }) => event === undefined));
  });
});

test("a look-up that is skipped, finds nothing or may fail has its default", async () => {
  const steps = step("none", 'default = "n"') + step("left", 'when = "false"\ndefault = "l"') +
    step("bad", 'target = "bad"\non_error = "skip"');
  const answer = ({ target }: WriteRequest) => {
    if (target === "bad") throw new Error("down");
  };
  await office(steps, answer, async ({ ask }) => {
    assert.deepEqual(await ask({}), ["found", { none: "n", left: "l", bad: null }]);
  });
});

test("a look-up fails with its connector, its expression or its timeout", async () => {
  const steps = step("a", 'target = "input.target"\ntimeout = "2s"');
  const never = new Promise<never>(() => {});
  const answer = ({ target }: WriteRequest) => {
    if (target === "never") return never;
    if (target === "later") return Promise.reject(new Error("down later"));
    throw new Error("down");
  };
  await office(steps, answer, async ({ ask, clock }) => {
    assert.deepEqual(await ask({ target: "x" }), ["failed", "down"]);
    assert.deepEqual(await ask({ target: "later" }), ["failed", "down later"]);
    const [, message] = await ask({});
    assert.match(String(message), /is null, not a name/);
    const late = ask({ target: "never" });
    await clock.advance(1_999);
    assert.equal(clock.waiting, 1);
    await clock.advance(1);
    assert.deepEqual(await late, ["failed", "timed out after 2000 ms"]);
  });
});

test("the default timeout of a look-up is ten seconds", async () => {
  await office(step("a", ""), () => new Promise(() => {}), async ({ ask, clock }) => {
    const late = ask({});
    await clock.advance(10_000);
    assert.deepEqual(await late, ["failed", "timed out after 10000 ms"]);
    assert.equal(clock.waiting, 0);
  });
});

const CACHED = 'params = { id = "input.id" }\ncache = "30s"';

test("a cached result is used for the same values until it expires", async () => {
  let count = 0;
  await office(step("a", CACHED), () => ++count, async ({ ask, clock }) => {
    const value = async (input: unknown) => (await ask(input)).at(1);
    assert.deepEqual(await value({ id: 1 }), { a: 1 });
    assert.deepEqual(await value({ id: 1, other: true }), { a: 1 });
    assert.deepEqual(await value({ id: "1" }), { a: 2 });
    assert.deepEqual(await value({}), { a: 3 });
    await clock.advance(29_999);
    assert.deepEqual(await value({ id: 1 }), { a: 1 });
    await clock.advance(1);
    assert.deepEqual(await value({ id: 1 }), { a: 4 });
  });
});

test("the key of a cached result contains the target, and each step has its own cache", async () => {
  const lines = `target = "input.t"\nparams = {}\ncache = "30s"`;
  const steps = step("a", lines) + step("b", lines);
  await office(steps, ({ target }) => target, async ({ ask, requests }) => {
    for (const t of ["x", "y", "x"]) {
      assert.deepEqual(await ask({ t }), ["found", { a: t, b: t }]);
    }
    assert.equal(requests.length, 4);
  });
});

/** What a shelf makes of the expressions in its options. */
function evaluated({ options, scope }: WriteRequest): unknown {
  const { key, labels = {}, lines = [] } = options as {
    readonly key?: Expression;
    readonly labels?: Readonly<Record<string, Expression>>;
    readonly lines?: readonly (readonly [string, Expression])[];
  };
  return [
    key?.evaluate(scope),
    ...Object.values(labels).map((item) => item.evaluate(scope)),
    ...lines.map(([, item]) => item.evaluate(scope)),
  ];
}

test("the key of a cached result contains what the connector's own expressions read", async () => {
  const cases = [
    `key = "input.who.id"`,
    `key = "input.who['id']"`,
    `key = "has(input.who.id) ? string(input.who.id) : 'none'"`,
    `labels = {\na = "constants.shelf"\nb = "input.who.id"\n}`,
    `lines {\na = "'x' + string(input.who.id)"\n}`,
    `key = "input.list.filter(x, x != input.who.id)"`,
    `key = "step.first"`,
  ];
  const first = step("first", 'params = { id = "input.who.id" }');
  for (const lines of cases) {
    const steps = first + step("a", `${lines}\nparams = {}\ncache = "30s"`);
    const answer = (request: WriteRequest) => {
      const { payload } = request;
      const { id } = payload as { readonly id?: unknown };
      return id === undefined ? evaluated(request) : id;
    };
    await office(steps, answer, async ({ ask, requests }) => {
      const asked = async (who: unknown) => {
        const [, found] = await ask({ who, list: [1, 2, 3], other: crypto.randomUUID() });
        return (found as { readonly a: unknown }).a;
      };
      const count = () => requests.filter(({ payload }) => !("id" in (payload as object))).length;
      const one = await asked({ id: 1 });
      const two = await asked({ id: 2 });
      assert.notDeepEqual(one, two, lines);
      assert.deepEqual(await asked({ id: 1 }), one);
      assert.deepEqual(await asked({ id: 2, more: true }), two);
      assert.equal(count(), 2, lines);
      assert.notDeepEqual(await asked({ id: "1" }), undefined);
      assert.equal(count(), 3, lines);
    });
  }
});

test("a request for a cached result sees only what its key contains", async () => {
  const steps = step("a", 'key = "input.who.id"\nparams = {}\ncache = "30s"') + step("b", "");
  const scopes: unknown[] = [];
  const answer = ({ scope }: WriteRequest) => void scopes.push(scope);
  await office(steps, answer, async ({ ask }) => {
    await ask({ who: { id: 1, secret: "s" }, secret: "s" });
    await ask({ who: null, secret: "s" });
    assert.deepEqual(JSON.parse(JSON.stringify(scopes[0])), {
      constants: { shelf: "main" },
      input: { who: { id: 1 } },
    });
    // Without a cache it sees everything.
    assert.deepEqual((scopes[1] as { readonly input: unknown }).input, {
      who: { id: 1, secret: "s" },
      secret: "s",
    });
    assert.deepEqual(JSON.parse(JSON.stringify(scopes[2])), {
      constants: { shelf: "main" },
      input: { who: {} },
    });
  });
});

test("concurrent requests for the same result are one request", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await office(step("a", CACHED), () => promise, async ({ ask, requests }) => {
    const asking = Array.from({ length: 100 }, () => ask({ id: 1 }));
    resolve("x");
    for (const answer of await Promise.all(asking)) assert.deepEqual(answer, ["found", { a: "x" }]);
    assert.equal(requests.length, 1);
  });
});

test("failures are not cached, whether thrown or rejected", async () => {
  let count = 0;
  const answer = (): unknown => {
    count++;
    if (count === 1) throw new Error("thrown");
    if (count === 2) return Promise.reject(new Error("rejected"));
    return count === 3 ? new Promise(() => {}) : count;
  };
  await office(step("a", CACHED), answer, async ({ ask, clock }) => {
    assert.deepEqual(await ask({ id: 1 }), ["failed", "thrown"]);
    assert.deepEqual(await ask({ id: 1 }), ["failed", "rejected"]);
    const late = ask({ id: 1 });
    await clock.advance(10_000);
    assert.deepEqual(await late, ["failed", "timed out after 10000 ms"]);
    assert.deepEqual(await ask({ id: 1 }), ["found", { a: 4 }]);
  });
});

test("the number of results is limited: the oldest is removed first", () => {
  const cache = new ResultCache(1_000, new ManualClock(), { results: 3, bytes: 1_000 });
  let asked = 0;
  const get = (key: string) => cache.get(key, () => ++asked);
  assert.deepEqual(["a", "b", "c", "a", "d"].map(get), [1, 2, 3, 1, 4]);
  assert.equal(cache.size, 3);
  assert.deepEqual(["b", "c", "d", "a"].map(get), [2, 3, 4, 5]);
  for (let i = 0; i < 100_000; i++) get(`key ${i}`);
  assert.equal(cache.size, 3);
});

test("the bytes of a cache are limited: the oldest result is removed first, and one that is too large is not cached", async () => {
  const cache = new ResultCache(1_000, new ManualClock(), { results: 100, bytes: 10_000 });
  let asked = 0;
  const get = (key: string, length: number) =>
    cache.get(key, () => ({ count: ++asked, text: "x".repeat(length) })) as {
      readonly count: number;
    };
  assert.deepEqual([get("a", 2_000).count, get("b", 2_000).count, get("a", 2_000).count], [
    1,
    2,
    1,
  ]);
  assert.equal(get("c", 2_000).count, 3);
  assert.deepEqual([cache.size, get("b", 2_000).count, get("a", 2_000).count], [2, 2, 4]);
  assert.deepEqual([get("large", 5_000).count, get("large", 5_000).count], [5, 6]);
  assert.deepEqual([get("a", 2_000).count, cache.size], [4, 2]);
  const rows = Promise.withResolvers<unknown>();
  const later = [1, 2].map(() => cache.get("later", () => rows.promise));
  rows.resolve(Array.from({ length: 1_000 }, (_, id) => ({ id })));
  assert.equal((await Promise.all(later))[0], await rows.promise);
  assert.equal(cache.size, 2);
});

test("the size of a value counts shared parts once, and stops at the limit", () => {
  assert.equal(sizeOf(7, 1_000), 0);
  const text = { text: "x".repeat(100) };
  const once = sizeOf(text, 10_000);
  assert.ok(once >= 200 && once < 300, `${once}`);
  const twice = sizeOf([text, text], 10_000);
  assert.ok(twice > once && twice < 2 * once, `${twice}`);
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.ok(sizeOf(circle, 10_000) < 200);
  assert.ok(sizeOf(new Uint8Array(5_000), 10_000) >= 5_000);
  assert.ok(sizeOf({ ["k".repeat(1_000)]: null }, 10_000) >= 2_000);
  assert.ok(sizeOf(Array.from({ length: 100_000 }, () => ({})), 10_000) > 10_000);
});

test("a late result does not replace a newer one", async () => {
  const cache = new ResultCache(1_000, new ManualClock(), { results: 1, bytes: 1_000 });
  const first = Promise.withResolvers<string>();
  cache.get("a", () => first.promise);
  cache.get("b", () => "b");
  first.resolve("a");
  await first.promise;
  assert.equal(cache.get("b", () => "another"), "b");
});

test("look-ups are checked when all connectors are known", async () => {
  const types = withInput({
    desk: defineConnector({ fields: { step: lookups({ about: "" }) }, create: () => ({}) }),
    shelf: defineConnector({
      fields: {},
      destination: { fields: {}, operations: ["find"] },
      create: () => ({}),
    }),
  });
  const problems = (steps: string) =>
    problemsOf(
      `connector "d" {\ntype = "desk"\n${steps}\n}\nconnector "s" {\ntype = "shelf"\n}\n`,
      {
        connectors: types,
      },
    );
  assert.deepEqual(await problems(step("a", 'operation = "find"')), []);
  assert.deepEqual(await problems('step "a" {\nconnector = "x"\n}'), [
    "config.hcl:4:13+3 unknown-connector",
  ]);
  assert.deepEqual(await problems('step "a" {\nconnector = "d"\n}'), [
    "config.hcl:4:13+3 not-a-destination",
  ]);
  assert.deepEqual(await problems(step("a", 'operation = "fnd"')), [
    "config.hcl:5:13+5 unknown-operation",
  ]);
  assert.deepEqual(await problems(step("a", "colour = 1")), [
    "config.hcl:5:1+6 unknown-attribute",
  ]);
  assert.deepEqual(await problems(step("a", 'params = { x = "step.b" }') + step("b", "")), [
    "config.hcl:5:16+8 unknown-step",
  ]);
  assert.deepEqual(await problems(step("a", 'cache = "0s"')), [
    "config.hcl:5:9+4 invalid-value",
  ]);
  assert.deepEqual(await problems(step("a", "") + step("a", "")), [
    "config.hcl:7:1+8 duplicate-name",
  ]);
});
