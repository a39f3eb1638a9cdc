/** A runtime whose service has a backplane. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackplaneContext } from "../../src/contract/backplane.ts";
import type { Connector, ConnectorContext, FlowHandler } from "../../src/contract/connector.ts";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import { attribute } from "../../src/contract/fields.ts";
import { text } from "../../src/contract/value-schema.ts";
import type { RuntimeCore } from "../../src/runtime/core.ts";
import { assembleRuntime } from "../../src/runtime/mod.ts";
import { ManualClock } from "../support/clock.ts";
import { bytesOf, textOf, ticks } from "../support/groups.ts";
import { type MemoryBackplane, MemoryBus } from "../support/memory-backplane.ts";

/** One runtime of a test. */
interface TestRuntime {
  readonly runtime: RuntimeCore;
  readonly clock: ManualClock;
  readonly link: MemoryBackplane;
  readonly made: BackplaneContext;
  /** The context of each connector. */
  readonly contexts: ReadonlyMap<string, ConnectorContext>;
  /** What has happened, in order. */
  readonly log: readonly string[];
  /** What the connector "alone" starts flows with. */
  readonly handlers: readonly FlowHandler[];
}

const CONFIG = `
  service {
    name = "chat"
  }
  connector "bus" {
    type = "bus"
  }
  connector "ws" {
    type      = "hub"
    backplane = "bus"
  }
  connector "alone" {
    type = "hub"
  }
`;

/** Makes a runtime that is not started. */
async function makeRuntime(bus: MemoryBus, rest = "", fails = false): Promise<TestRuntime> {
  const clock = new ManualClock();
  const contexts = new Map<string, ConnectorContext>();
  const log: string[] = [];
  const handlers: FlowHandler[] = [];
  const links: [MemoryBackplane, BackplaneContext][] = [];
  const types: Readonly<Record<string, ConnectorType>> = {
    bus: defineConnector({
      fields: {},
      backplane: {
        keeps: () => true,
        create(_options, context) {
          const link = bus.connect(context.instance);
          const [open, close] = [link.open.bind(link), link.close.bind(link)];
          link.open = (listener) => {
            log.push("bus opens");
            return open(listener);
          };
          link.close = () => {
            log.push("bus closes");
            return close();
          };
          links.push([link, context]);
          return link;
        },
      },
      create: () => ({}),
    }),
    hub: defineConnector({
      fields: { backplane: attribute(text(), { about: "" }) },
      linkedBy: ({ backplane }) => backplane,
      source: { kind: "messages" },
      destination: { fields: {} },
      create(_options, context): Connector {
        const { name, instances } = context;
        contexts.set(name, context);
        instances?.hear({
          message: (topic, message) => void log.push(`${name} hears ${topic} ${textOf(message)}`),
          answer: () => bytesOf(""),
          gap: () => void log.push(`${name} has a gap`),
        });
        return {
          subscribe: (_operation, handler) => void handlers.push(handler),
          start() {
            log.push(`${name} starts`);
            if (fails) throw new Error("broken");
            return Promise.resolve();
          },
          close: () => Promise.resolve(void log.push(`${name} closes`)),
          write: ({ payload }) => void log.push(`${name} writes ${JSON.stringify(payload)}`),
          counts: () => ({ connections: 1 }),
        };
      },
    }),
  };
  const runtime = await assembleRuntime(CONFIG + rest, { connectors: types, clock });
  const [[link, made]] = links;
  return { runtime, clock, link, made, contexts, log, handlers };
}

/** Moves the time of all. */
async function advance(milliseconds: number, ...all: readonly TestRuntime[]): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 100) {
    for (const { clock } of all) await clock.advance(100);
    await ticks();
  }
}

async function start(one: TestRuntime): Promise<void> {
  const started = one.runtime.start();
  await advance(600, one);
  await started;
  await one.runtime.consume();
}

async function close(one: TestRuntime): Promise<void> {
  const closed = one.runtime.close();
  await advance(600, one);
  await closed;
}

test("the backplane is open before connectors start, and closes after them", async () => {
  const one = await makeRuntime(new MemoryBus());
  assert.deepEqual(one.log, [], "nothing is opened when it is made");
  await start(one);
  await close(one);
  assert.deepEqual(one.log, [
    "bus opens",
    "ws starts",
    "alone starts",
    "ws closes",
    "alone closes",
    "bus closes",
  ]);
  const { name, service, instance } = one.made;
  assert.deepEqual([name, service], ["bus", "chat"]);
  assert.match(instance, /^[a-z0-9]{1,32}$/);
});

test("it closes after a failed start, too", async () => {
  const one = await makeRuntime(new MemoryBus(), "", true);
  const started = one.runtime.start();
  const failed = assert.rejects(started, /broken/);
  await advance(600, one);
  await failed;
  await close(one);
  assert.equal(one.log.at(-1), "bus closes");
});

test("a connector that names the backplane has its instances; one that does not has none", async () => {
  const bus = new MemoryBus();
  const [one, other] = [await makeRuntime(bus), await makeRuntime(bus)];
  await start(one);
  await start(other);
  const { instances } = one.contexts.get("ws") ?? assert.fail();
  assert.ok(instances !== undefined);
  assert.equal(instances.id, one.made.instance);
  assert.notEqual(instances.id, other.made.instance);
  assert.equal(one.contexts.get("alone")?.instances, undefined);
  assert.equal(one.contexts.get("alone")?.hasBackplane, true);
  await other.contexts.get("ws")?.instances?.listen("x");
  await instances.publish("x", bytesOf("1"));
  await ticks();
  assert.equal(other.log.at(-1), "ws hears x 1");
  await close(one);
  await close(other);
});

test("the numbers of the backplane are those of the connectors that it links", async () => {
  const one = await makeRuntime(new MemoryBus());
  await start(one);
  const { ws, alone, bus } = one.runtime.counts();
  assert.deepEqual([alone, bus], [{ connections: 1 }, {}]);
  assert.deepEqual(Object.keys(ws).sort(), [
    "backplane_gaps",
    "backplane_received",
    "backplane_sent",
    "backplane_topics",
    "backplane_unknown",
    "backplane_unreadable",
    "connections",
    "instances",
  ]);
  assert.equal(ws.instances, 1);
  await close(one);
});

test("while the backplane is away the runtime is not ready, and serves clients", async () => {
  const one = await makeRuntime(new MemoryBus());
  const status = async (path: string): Promise<readonly [number, unknown]> => {
    const response = await one.runtime.fetch(new Request(`http://localhost${path}`));
    return [response.status, await response.json()];
  };
  assert.deepEqual(await status("/health/serving"), [503, { status: "unavailable" }]);
  await start(one);
  assert.deepEqual(await status("/health/ready"), [200, { status: "ok" }]);
  assert.deepEqual(await status("/health/serving"), [200, { status: "ok" }]);
  one.link.cut("refused");
  assert.deepEqual(one.runtime.health(), { bus: "refused" });
  assert.deepEqual(await status("/health/ready"), [503, {
    status: "unavailable",
    connectors: ["bus"],
  }]);
  assert.deepEqual(await status("/health/serving"), [200, { status: "ok" }]);
  one.link.mend();
  await advance(700, one);
  assert.deepEqual(await status("/health/ready"), [200, { status: "ok" }]);
  assert.equal(one.log.at(-1), "ws has a gap");
  const closing = one.runtime.close();
  assert.deepEqual(await status("/health/serving"), [503, { status: "unavailable" }]);
  await advance(600, one);
  await closing;
});

test("schedules run on the oldest instance, and go on where it ends", async () => {
  const schedule = `
    flow "tick" {
      when = "@every 1s"
      to {
        connector = "alone"
      }
    }
  `;
  const bus = new MemoryBus();
  const [one, other] = [await makeRuntime(bus, schedule), await makeRuntime(bus, schedule)];
  const runs = ({ log }: TestRuntime) => log.filter((line) => line.startsWith("alone writes"));
  await start(one);
  await start(other);
  await advance(3_500, one, other);
  assert.deepEqual([runs(one).length > 0, runs(other).length], [true, 0]);
  await close(one);
  const before = runs(one).length;
  await advance(2_500, other);
  assert.ok(runs(other).length >= 2);
  assert.equal(runs(one).length, before);
  await close(other);
  await advance(2_000, one, other);
  assert.equal(runs(one).length, before);
});

test("dedupe knows the events of all instances", async () => {
  const flow = `
    flow "once" {
      from {
        connector = "alone"
      }
      dedupe {
        key = "input.id"
        ttl = "10m"
      }
      to {
        connector = "alone"
      }
    }
  `;
  const bus = new MemoryBus();
  const [one, other] = [await makeRuntime(bus, flow), await makeRuntime(bus, flow)];
  await start(one);
  await start(other);
  const event = (id: number) => ({ operation: "", payload: { id }, input: { id } });
  for (const id of [1, 1, 2]) {
    for (const { handlers: [handler] } of [one, other]) await handler.run(event(id));
  }
  const written = [one, other].map(({ log }) => log.filter((line) => line.includes("writes")));
  assert.deepEqual(written, [['alone writes {"id":1}', 'alone writes {"id":2}'], []]);
  one.link.cut("refused");
  await assert.rejects(async () => await one.handlers[0].run(event(3)));
  one.link.mend();
  await advance(700, one, other);
  await close(one);
  await close(other);
});
