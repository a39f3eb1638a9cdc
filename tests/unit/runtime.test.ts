import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connector, FlowHandler, WriteRequest } from "../../src/contract/connector.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { ConfigError, ConnectorError, FlowError } from "../../src/base/errors.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { createRuntime, type RuntimeOptions } from "../../src/runtime/mod.ts";

/** Something that takes a moment. */
function moment(milliseconds = 3): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The steps of a connector's life. */
const STEPS = ["start", "consume", "stop", "drain", "closeClients", "close"] as const;
type Step = typeof STEPS[number];

/** What goes wrong or happens at a step of the connector of a name. */
type Plan = Readonly<Record<string, Partial<Record<Step, () => unknown>>>>;

/** The connector type `plain`, which logs each step of its connectors. */
function logged(plan: Plan = {}) {
  const log: string[] = [];
  const handlers = new Map<string, FlowHandler>();
  const plain = defineConnector({
    fields: {},
    source: {},
    destination: { fields: {} },
    create(_options, { name }): Connector {
      log.push(`create ${name}`);
      const steps = STEPS.map((step) => [step, async (): Promise<void> => {
        log.push(`${step} ${name}`);
        await moment();
        await plan[name]?.[step]?.();
        log.push(`${step} ${name} ended`);
      }]);
      return {
        ...Object.fromEntries(steps),
        subscribe(operation, handler) {
          handlers.set(handler.flow, handler);
          log.push(`subscribe ${name} ${operation} ${handler.flow}`);
        },
        write: () => void log.push(`write ${name}`),
      };
    },
  });
  const options: RuntimeOptions = { connectors: { plain } };
  /** The connectors that began a step, in order. */
  const begun = (step: Step) =>
    log.filter((line) => line.startsWith(`${step} `) && !line.endsWith(" ended"))
      .map((line) => line.slice(step.length + 1));
  return { log, options, handlers, begun };
}

/** The log of a step that all take at once. */
function together(step: Step, names: readonly string[]): string[] {
  return [
    ...names.map((name) => `${step} ${name}`),
    ...names.map((name) => `${step} ${name} ended`),
  ];
}

function connector(name: string, type: string, rest = ""): string {
  return `connector "${name}" {\n  type = "${type}"\n${rest}\n}\n`;
}

const THREE = connector("c", "plain") + connector("a", "plain") + connector("b", "plain");
const NAMES = ["c", "a", "b"];

test("all connectors are created, subscribed and started before any consumes", async () => {
  const { log, options } = logged();
  const flow = 'flow "f" {\n  from {\n    connector = "a"\n    operation = "op"\n  }\n}\n';
  const runtime = await createRuntime(THREE + flow, options);
  assert.deepEqual(log, [
    ...["create c", "create a", "create b", "subscribe a op f"],
    ...together("start", NAMES),
    ...together("consume", NAMES),
  ]);
  await runtime.close();
});

test("close: stop, drain, close the clients, drain again, close", async () => {
  const { log, options } = logged();
  const runtime = await createRuntime(THREE, options);
  log.length = 0;
  await runtime.close();
  const steps = ["stop", "drain", "closeClients", "drain", "close"] as const;
  assert.deepEqual(log, steps.flatMap((step) => together(step, NAMES)));
});

test("a second close returns the same promise", async () => {
  const { begun, options } = logged();
  const runtime = await createRuntime(THREE, options);
  await Promise.all([runtime.close(), runtime.close()]);
  await runtime.close();
  assert.deepEqual(begun("close"), NAMES);
});

test("a connector that cannot start: all are closed when every start has ended", async () => {
  const failure = new ConnectorError("a", "refused", { permanent: true });
  const { log, begun, options } = logged({
    a: {
      start() {
        throw failure;
      },
    },
    b: { start: () => moment(20) },
  });
  await assert.rejects(createRuntime(THREE, options), (error) => error === failure);
  assert.deepEqual(begun("consume"), []);
  assert.deepEqual(begun("close"), NAMES);
  assert.ok(log.includes("start b ended"));
  assert.ok(log.indexOf("start b ended") < log.indexOf("drain b"), log.join("\n"));
});

test("a connector that cannot consume: all are closed", async () => {
  const failure = new ConnectorError("b", "no queue");
  const { begun, options } = logged({
    b: {
      consume() {
        throw failure;
      },
    },
  });
  await assert.rejects(createRuntime(THREE, options), (error) => error === failure);
  assert.deepEqual(begun("drain"), [...NAMES, ...NAMES]);
  assert.deepEqual(begun("close"), NAMES);
});

test("a close that fails after a failed start does not hide why the start failed", async () => {
  const failure = new ConnectorError("a", "refused");
  const { options } = logged({
    a: {
      start() {
        throw failure;
      },
      close() {
        throw new Error("and that, too");
      },
    },
  });
  await assert.rejects(createRuntime(THREE, options), (error) => error === failure);
});

test("a step that fails does not keep other connectors from being closed, and its error is thrown", async () => {
  for (const step of ["stop", "drain", "closeClients", "close"] as const) {
    const failure = new Error("stuck");
    const { begun, options } = logged({
      a: {
        [step]() {
          throw failure;
        },
      },
    });
    const runtime = await createRuntime(THREE, options);
    await assert.rejects(runtime.close(), (error) => error === failure);
    assert.deepEqual(begun("closeClients"), NAMES, step);
    assert.deepEqual(begun("close"), NAMES, step);
  }
});

test("a shutdown step that never ends times out", async () => {
  for (const step of ["stop", "drain", "closeClients", "close"] as const) {
    const { begun, options } = logged({ a: { [step]: () => new Promise(() => {}) } });
    const runtime = await createRuntime(THREE, options);
    const { setTimeout: original } = globalThis;
    try {
      // Seconds become milliseconds.
      globalThis.setTimeout = ((callback: () => void, delay: number) =>
        original(callback, delay > 1000 ? delay / 1000 : delay)) as typeof setTimeout;
      await runtime.close();
    } finally {
      globalThis.setTimeout = original;
    }
    assert.deepEqual(begun("closeClients"), NAMES, step);
    assert.deepEqual(begun("close"), NAMES, step);
  }
});

test("a connector may have no methods", async () => {
  const nothing = defineConnector({ fields: {}, create: () => ({}) });
  const runtime = await createRuntime(connector("n", "nothing"), { connectors: { nothing } });
  assert.deepEqual(runtime.counts(), { n: {} });
  assert.deepEqual(runtime.health(), {});
  await runtime.close();
});

test("a connector that cannot be created", async () => {
  const failure = new ConnectorError("n", "its library is missing");
  const broken = defineConnector({
    fields: {},
    create: () => Promise.reject(failure),
  });
  const making = createRuntime(connector("n", "broken"), { connectors: { broken } });
  await assert.rejects(making, (error) => error === failure);
});

test("an invalid configuration as text; a valid one as a model", async () => {
  await assert.rejects(createRuntime("flow {\n}\n"), ConfigError);
  const model = await loadConfig(connector("ws", "websocket", "port = 0"));
  const [one, two] = [await createRuntime(model), await createRuntime(model)];
  assert.equal(await one.broadcast("x"), 0);
  await Promise.all([one.close(), two.close()]);
});

test("sending without clients", async () => {
  const runtime = await createRuntime(connector("ws", "websocket", "port = 0"));
  assert.equal(await runtime.broadcast({ a: 1 }), 0);
  assert.equal(await runtime.sendToRoom("r", null), 0);
  assert.equal(await runtime.sendToUser("u", undefined), 0);
  assert.equal(await runtime.broadcast(1, { connector: "ws" }), 0);
  assert.equal(await runtime.broadcast(1, {}), 0);
  await runtime.close();
});

test("invalid data rejects with an error that names the connector", async () => {
  const runtime = await createRuntime(connector("ws", "websocket", "port = 0"));
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const nonsense = [
    () => runtime.broadcast(cycle),
    () => runtime.broadcast(1n),
    () => runtime.sendToRoom("", 1),
    () => runtime.sendToRoom("a\0", 1),
    () => runtime.sendToRoom("x".repeat(256), 1),
    () => runtime.sendToRoom(5 as unknown as string, 1),
    () => runtime.broadcast("x".repeat(2 * 1024 * 1024)),
  ];
  for (const send of nonsense) {
    await assert.rejects(send(), (error) => {
      assert.ok(error instanceof ConnectorError);
      assert.equal(error.connector, "ws");
      assert.equal(error.permanent, true);
      return true;
    });
  }
  await runtime.close();
});

test("a single connector that supports the operation needs no name, several do", async () => {
  const runtime = await createRuntime(
    connector("a", "websocket", 'port = 1\npath = "/a"') +
      connector("b", "websocket", 'port = 1\npath = "/b"') +
      connector("events", "mq", 'driver = "memory"'),
  );
  const none = (method: string, able: string) => `cannot ${method}; connectors that can: ${able}`;
  const several = (method: string) =>
    `${method}: several connectors can do this; choose one of a, b`;
  const cases: ReadonlyArray<readonly [act: () => Promise<unknown>, message: string]> = [
    [() => runtime.broadcast(1), several("broadcast")],
    [() => runtime.sendToRoom("r", 1), several("sendToRoom")],
    [() => runtime.sendToUser("u", 1), several("sendToUser")],
    [
      () => runtime.broadcast(1, { connector: "c" }),
      `connector "c": ${none("broadcast", "a, b")}`,
    ],
    [
      () => runtime.broadcast(1, { connector: "events" }),
      `connector "events": ${none("broadcast", "a, b")}`,
    ],
    [
      () => runtime.publish("k", 1, { connector: "a" }),
      `connector "a": ${none("publish", "events")}`,
    ],
    [
      () => runtime.publish("k", 1, { connector: "" }),
      none("publish", "events"),
    ],
    [
      () => runtime.publish("k", 1, { connector: "__proto__" }),
      `connector "__proto__": ${none("publish", "events")}`,
    ],
  ];
  for (const [act, message] of cases) {
    await assert.rejects(act(), { name: "ConnectorError", message, permanent: true });
  }
  assert.equal(await runtime.broadcast(1, { connector: "b" }), 0);
  await runtime.publish("k", 1);
  await runtime.publish("k", 1, { connector: "events", headers: { h: 1 } });
  await runtime.close();
});

test("without a connector that supports the operation", async () => {
  const runtime = await createRuntime("");
  await assert.rejects(runtime.broadcast(1), {
    message: "broadcast: the configuration has no connector that can do this",
    connector: "",
  });
  await assert.rejects(runtime.publish("k", 1), {
    message: "publish: the configuration has no connector that can do this",
    connector: "",
  });
  await runtime.close();
});

test("a broadcast of a connector that returns nothing has 0 recipients", async () => {
  const silent = defineConnector({
    fields: {},
    destination: { fields: {}, operations: ["broadcast"] },
    create: () => ({ write: () => undefined }),
  });
  const runtime = await createRuntime(connector("silent", "silent", ""), {
    connectors: { silent },
  });
  assert.equal(await runtime.broadcast("all"), 0);
  await runtime.close();
});

test("a custom connector is selected by the operations it supports", async () => {
  const writes: unknown[] = [];
  const write = ({ operation, target, payload, options }: WriteRequest) => {
    writes.push([operation, target, payload, options]);
    return { recipients: 3 };
  };
  const define = (able: { operations?: readonly string[]; publishes?: boolean }) =>
    defineConnector({
      fields: {},
      destination: { fields: {}, ...able },
      create: () => ({ write }),
    });
  const connectors = {
    pager: define({ operations: ["page", "broadcast"] }),
    post: define({ publishes: true }),
    // It takes any operation, so nobody knows whether it can broadcast.
    any: define({}),
  };
  const text = ["pager", "post", "any"].map((type) => connector(type, type, "")).join("");
  const runtime = await createRuntime(text, { connectors });
  assert.equal(await runtime.broadcast("all"), 3);
  await runtime.publish("k", "one", { headers: { h: 1 } });
  await assert.rejects(runtime.sendToRoom("r", 1), /sendToRoom: .* no connector/);
  await assert.rejects(
    runtime.broadcast(1, { connector: "any" }),
    /cannot broadcast; connectors that can: pager/,
  );
  assert.deepEqual(writes, [
    ["broadcast", undefined, "all", {}],
    [undefined, "k", "one", { headers: { h: 1 } }],
  ]);
  await runtime.close();
});

test("a published message reaches the flows of its own runtime only, with its headers", async () => {
  const seen: unknown[][] = [[], []];
  const config = connector("events", "mq", 'driver = "memory"') + connector("out", "shelf") + `
flow "f" {
  from {
    connector = "events"
    operation = "order.*"
  }
  transform {
    n = "input.n"
    h = "input.headers.h"
  }
  to { connector = "out" }
}
`;
  const runtimes = await Promise.all(seen.map((kept) => {
    const shelf = defineConnector({
      fields: {},
      destination: { fields: {} },
      create: () => ({ write: ({ payload }) => void kept.push(payload) }),
    });
    return createRuntime(config, { connectors: { shelf } });
  }));
  await runtimes[0].publish("order.new", { n: 1 }, { headers: { h: "x" } });
  await runtimes[0].publish("invoice.new", { n: 2 });
  // Closing waits for what was published.
  await Promise.all(runtimes.map((runtime) => runtime.close()));
  assert.deepEqual(seen, [[{ n: 1, h: "x" }], []]);
  await assert.rejects(runtimes[0].publish("order.new", {}), ConnectorError);
});

test("closing waits for flows in flight", async () => {
  const gate = Promise.withResolvers<void>();
  const log: string[] = [];
  const slow = defineConnector({
    fields: {},
    destination: { fields: {} },
    create: (): Connector => ({
      async write() {
        log.push("begun");
        await gate.promise;
        log.push("ended");
      },
      close: () => Promise.resolve(void log.push("closed")),
    }),
  });
  const runtime = await createRuntime(
    connector("events", "mq", 'driver = "memory"') + connector("slow", "slow") +
      'flow "f" {\n  from {\n    connector = "events"\n    operation = "#"\n  }\n' +
      '  to { connector = "slow" }\n}\n',
    { connectors: { slow } },
  );
  await runtime.publish("k", 1);
  const closed = runtime.close();
  await moment(10);
  assert.deepEqual(log, ["begun"]);
  assert.deepEqual(runtime.health(), { runtime: "shutting down" });
  gate.resolve();
  await closed;
  assert.deepEqual(log, ["begun", "ended", "closed"]);
});

test("closing waits for events that flows pass from one connector to the next", async () => {
  const kept: unknown[] = [];
  const shelf = defineConnector({
    fields: {},
    destination: { fields: {} },
    create: (): Connector => ({
      async write({ payload }) {
        await moment();
        kept.push(payload);
      },
    }),
  });
  // The last broker comes first, so that it is idle when the end begins.
  const brokers = ["third", "second", "first"];
  const flows = brokers.map((name, n) => `
    flow "${name}" {
      from { connector = "${name}" }
      transform { from = "'${name}'" }
      to { connector = "shelf" }
      ${n === 0 ? "" : `to {\n connector = "${brokers[n - 1]}"\n target = "next"\n }`}
    }
  `);
  // With one exchange, each would get what is for the others.
  const broker = (name: string) =>
    connector(name, "mq", `driver = "memory"\nexchange {\n name = "${name}"\n}`);
  const runtime = await createRuntime(
    connector("shelf", "shelf") + brokers.map(broker).join("") + flows.join(""),
    { connectors: { shelf } },
  );
  await runtime.publish("go", 1, { connector: "first" });
  await runtime.close();
  assert.deepEqual(kept, brokers.toReversed().map((from) => ({ from })));
});

test("a schedule runs its flow until the runtime is closed", async () => {
  const { log, options } = logged();
  const runtime = await createRuntime(
    connector("a", "plain") +
      'flow "f" {\n  when = "@every 5ms"\n  to { connector = "a" }\n}\n',
    options,
  );
  const writes = () => log.filter((line) => line === "write a").length;
  for (let tries = 0; writes() < 3; tries++) {
    assert.ok(tries < 1000, "the schedule does not run");
    await moment(5);
  }
  await runtime.close();
  const before = writes();
  await moment(40);
  assert.equal(writes(), before);
});

test("a flow's failure is a FlowError for its source", async () => {
  const { handlers, options } = logged();
  const flow = 'flow "f" {\n  from { connector = "a" }\n  transform { x = "input.a + null" }\n}\n';
  const runtime = await createRuntime(connector("a", "plain") + flow, options);
  const event = { operation: "x", payload: {}, input: {} };
  assert.throws(() => handlers.get("f")?.run(event), FlowError);
  await runtime.close();
});

test("health and counts, by the connectors' names", async () => {
  let reason: string | undefined = "is away";
  const shaky = defineConnector({
    fields: {},
    create: () => ({ health: () => reason, counts: () => ({ things: 3 }) }),
  });
  const runtime = await createRuntime(
    connector("s", "shaky") + connector("ws", "websocket", "port = 0"),
    { connectors: { shaky } },
  );
  assert.deepEqual(runtime.health(), { s: "is away" });
  const { s, ws: { connections, rooms, users } } = runtime.counts();
  assert.deepEqual([s, connections, rooms, users], [{ things: 3 }, 0, 0, 0]);
  const ready = async () => (await runtime.fetch(new Request("http://h/health/ready"))).status;
  assert.equal(await ready(), 503);
  reason = undefined;
  assert.equal(await ready(), 200);
  await runtime.close();
  assert.equal(await ready(), 503);
});

test("fetch needs no `this`, and one site serves fetch, app and endpoints", async () => {
  const runtime = await createRuntime(connector("ws", "websocket", 'port = 0\npath = "/live"'));
  const { fetch } = runtime;
  assert.equal((await fetch(new Request("http://h/live"))).status, 426);
  assert.equal((await fetch(new Request("http://h/other"))).status, 404);
  assert.equal(runtime.app, runtime.app);
  assert.deepEqual(runtime.endpoints.map(({ path }) => path), ["/live"]);
  await runtime.close();
});

test("two connectors may share a path on separate ports, but not in one application", async () => {
  const config = connector("a", "websocket", "port = 1") + connector("b", "websocket", "port = 2");
  await loadConfig(config);
  await assert.rejects(createRuntime(config), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(
      error.message,
      'error[duplicate-address]: connectors "a" and "b" have the same path /ws\n' +
        "  = an embedded runtime has one address: give one of them another path",
    );
    return true;
  });
});

/** The spread that `closeClients` receives in a runtime with this service block. */
async function spreadOf(service: string): Promise<number | undefined> {
  let spread: number | undefined;
  const clients = defineConnector({
    fields: {},
    create: () => ({
      closeClients(given): Promise<void> {
        spread = given;
        return Promise.resolve();
      },
    }),
  });
  const config = `service {\n${service}\n}\n${connector("c", "clients")}`;
  const runtime = await createRuntime(config, { connectors: { clients } });
  await runtime.close();
  return spread;
}

test("clients are closed over shutdown_spread, as far as the timeout allows", async () => {
  assert.equal(await spreadOf(""), 2_000);
  assert.equal(await spreadOf('shutdown_spread = "0s"'), 0);
  assert.equal(await spreadOf('shutdown_spread = "7s"'), 7_000);
  // Of four seconds they leave time to answer, to let go of everything and to end.
  const short = await spreadOf('shutdown_timeout = "4s"\nshutdown_spread = "4s"') ?? 0;
  assert.ok(short > 1_000 && short < 3_000, `${short} ms`);
});

test("a shutdown takes no longer than its timeout", async () => {
  const { options } = logged({ a: { drain: () => new Promise(() => {}) } });
  const config = `service {\nshutdown_timeout = "400ms"\n}\n${THREE}`;
  const runtime = await createRuntime(config, options);
  const begun = performance.now();
  await runtime.close();
  // The default is 30 s.
  assert.ok(performance.now() - begun < 5_000);
});

test("/health/live returns the name and version of the service", async () => {
  const runtime = await createRuntime('service {\n  name = "chat"\n  version = "2"\n}\n');
  const live = await runtime.fetch(new Request("http://localhost/health/live"));
  assert.deepEqual(await live.json(), { status: "ok", name: "chat", version: "2" });
  const closing = runtime.close();
  const ready = await runtime.fetch(new Request("http://localhost/health/ready"));
  assert.deepEqual([ready.status, await ready.json()], [
    503,
    { status: "unavailable", connectors: ["runtime"] },
  ]);
  await closing;
});
