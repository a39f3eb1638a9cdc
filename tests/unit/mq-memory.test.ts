import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { ManualClock } from "../support/clock.ts";
import { failure, flow, type Made, makeMq, request, until } from "../support/mq.ts";

/** What the fields make of a `dlq` block. */
function dlq(max_retries: number, retry_delay: number): Record<string, unknown> {
  return { consumer: { prefetch: 10, dlq: { queue: "dead", max_retries, retry_delay } } };
}

async function withMemory(
  options: Record<string, unknown>,
  use: (made: Made) => Promise<void>,
): Promise<void> {
  const made = await makeMq({ driver: "memory", ...options });
  try {
    await use(made);
  } finally {
    await made.connector.close();
  }
}

/** Yields once, which is enough for what was published before. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

test("an event reaches every flow whose pattern and filter take it, once each", async () => {
  await withMemory({}, async ({ connector }) => {
    const seen: string[] = [];
    connector.subscribe("order.*", flow((e) => seen.push(`one ${e.operation}`)));
    connector.subscribe("#", flow((e) => seen.push(`all ${e.operation}`)));
    connector.subscribe(undefined, flow((e) => seen.push(`any ${e.operation}`)));
    connector.subscribe("order.#", flow(() => seen.push("never"), () => false));
    await connector.consume();
    connector.write(request("order.created", {}));
    connector.write(request("user.created", {}));
    assert.deepEqual(seen, [], "a write runs no flow by itself");
    await turn();
    assert.deepEqual(seen, [
      "one order.created",
      "all order.created",
      "any order.created",
      "all user.created",
      "any user.created",
    ]);
    const { consumed, acked, published, queued } = connector.counts();
    assert.deepEqual({ consumed, acked, published, queued }, {
      consumed: 2,
      acked: 2,
      published: 2,
      queued: 0,
    });
  });
});

test("half of a surrogate pair goes through a body, and is refused where UTF-8 carries it", async () => {
  await withMemory({}, async ({ connector }) => {
    const seen: FlowEvent[] = [];
    connector.subscribe("#", flow((event) => seen.push(event)));
    await connector.consume();
    const half = "a\ud83d";
    const refused = (what: string) => (error: unknown) =>
      error instanceof ConnectorError && error.permanent &&
      error.message.endsWith(`${what} has half of a surrogate pair, which cannot be sent`);
    assert.throws(() => connector.write(request(half, {})), refused("the routing key"));
    for (const headers of [{ a: half }, { [half]: 1 }, { a: { b: [half] } }]) {
      assert.throws(() => connector.write(request("a", {}, headers)), refused("a header"));
    }
    connector.write(request("a", { text: half }, { a: "\u{1F600}" }));
    await turn();
    assert.deepEqual(seen.map(({ payload }) => payload), [{ text: half }]);
  });
});

test("an event is what was sent, with the message's metadata beside its fields", async () => {
  await withMemory({}, async ({ connector }) => {
    const events: FlowEvent[] = [];
    connector.subscribe(undefined, flow((event) => events.push(event)));
    await connector.consume();
    const headers = { trace: "t1" };
    connector.write(request("a.b", { n: 1, headers: "mine", routing_key: "forged" }, headers));
    connector.write(request("a.b", [1, 2]));
    connector.write(request("a.b", "text"));
    connector.write(request("a.b", undefined));
    await turn();
    const [object, list, text, nothing] = events;
    assert.equal(object.operation, "a.b");
    assert.deepEqual(object.payload, { n: 1, headers: "mine", routing_key: "forged" });
    const { n, body, headers: found, routing_key, exchange, properties } = object.input;
    assert.deepEqual({ n, body, found, routing_key, exchange }, {
      n: 1,
      body: object.payload,
      found: { trace: "t1" },
      routing_key: "a.b",
      exchange: "amq.topic",
    });
    const { content_type, delivery_mode } = properties as Record<string, unknown>;
    assert.deepEqual({ content_type, delivery_mode }, {
      content_type: "application/json",
      delivery_mode: 2,
    });
    assert.deepEqual([list.payload, list.input.body, list.input[0]], [[1, 2], [1, 2], undefined]);
    assert.deepEqual([text.payload, text.input.body, text.input[0]], ["text", "text", undefined]);
    assert.equal(nothing.payload, null);
  });
});

test("keys such as __proto__ are plain data", async () => {
  await withMemory({}, async ({ connector }) => {
    const events: FlowEvent[] = [];
    connector.subscribe(undefined, flow((event) => events.push(event)));
    await connector.consume();
    connector.write(request("k", JSON.parse('{"__proto__":{"admin":true},"constructor":1}')));
    await turn();
    const { input } = events[0];
    assert.equal(input.admin, undefined);
    assert.equal(Object.hasOwn(input, "__proto__"), true);
    assert.equal(Object.getPrototypeOf(input), Object.prototype);
    assert.equal(({} as Record<string, unknown>).admin, undefined);
  });
});

test("a payload is sent as JSON and not shared", async () => {
  await withMemory({}, async ({ connector }) => {
    const seen: unknown[] = [];
    connector.subscribe(undefined, flow(({ payload }) => seen.push(payload)));
    await connector.consume();
    const sent = { at: new Date(0), gone: undefined, list: [undefined], deep: { n: 1 } };
    const header = { list: [1] };
    connector.write(request("k", sent, { header }));
    sent.deep.n = 2;
    header.list.push(2);
    await turn();
    assert.deepEqual(seen, [{ at: "1970-01-01T00:00:00.000Z", list: [null], deep: { n: 1 } }]);
  });
});

test("what is not JSON, or has too long a key, is refused for good", async () => {
  await withMemory({}, async ({ connector }) => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (
      const bad of [request("k", cycle), request("k", { n: 1n }), request("k".repeat(256), 1)]
    ) {
      assert.throws(
        () => connector.write(bad),
        (error) => error instanceof ConnectorError && error.permanent,
      );
    }
    assert.equal(connector.counts().published, 0);
    await Promise.resolve();
  });
});

test("a direct exchange wants the exact key, a fanout exchange any", async () => {
  for (const [type, expected] of [["direct", ["a.b"]], ["fanout", ["a.b", "a.c"]]] as const) {
    await withMemory({ exchange: { type, durable: true } }, async ({ connector }) => {
      const seen: string[] = [];
      const operation = type === "direct" ? "a.b" : undefined;
      connector.subscribe(operation, flow((e) => seen.push(e.operation)));
      await connector.consume();
      connector.write(request("a.b", 1));
      connector.write(request("a.c", 1));
      await turn();
      assert.deepEqual(seen, expected);
    });
  }
});

test("a message that no queue takes is let go, unless it is mandatory", async () => {
  for (const mandatory of [false, true]) {
    const publisher = { persistent: true, confirms: true, mandatory };
    await withMemory({ publisher }, async ({ connector }) => {
      connector.subscribe("a", flow(() => undefined));
      await connector.consume();
      const write = () => connector.write(request("b", 1));
      if (mandatory) assert.throws(write, /no queue takes the routing key "b"/);
      else write();
      assert.equal(connector.counts().queued, 0);
    });
  }
});

test("publisher.exchange decides where a message goes", async () => {
  const queue = { name: "work", durable: true, exclusive: false, auto_delete: false };
  for (const [exchange, expected] of [["other", []], ["", ["work"]]] as const) {
    const publisher = { exchange, persistent: false, confirms: true, mandatory: false };
    await withMemory({ queue, publisher }, async ({ connector }) => {
      const seen: unknown[] = [];
      connector.subscribe(undefined, flow((e) => seen.push(e.input.routing_key)));
      await connector.consume();
      connector.write(request("work", 1));
      connector.write(request("else", 1));
      await turn();
      assert.deepEqual(seen, expected);
    });
  }
});

test("nothing is delivered before consume", async () => {
  await withMemory({}, async ({ connector }) => {
    const seen: unknown[] = [];
    connector.subscribe(undefined, flow((e) => seen.push(e.payload)));
    connector.write(request("k", 1));
    await turn();
    assert.deepEqual(seen, []);
    await connector.consume();
    await turn();
    assert.deepEqual(seen, [1]);
  });
});

test("a message is acked after all its flows have ended, and delivered again to all of them", async () => {
  await withMemory(dlq(3, 1), async ({ connector }) => {
    const runs = { good: 0, bad: 0 };
    let release = (): void => {};
    const released = new Promise<void>((resolve) => release = resolve);
    connector.subscribe("k", flow(() => ++runs.good));
    connector.subscribe("k", flow(() => ++runs.bad < 2 ? Promise.reject(failure()) : released));
    await connector.consume();
    connector.write(request("k", 1));
    await until("the second delivery", () => runs.bad === 2);
    assert.deepEqual(connector.counts().acked, 0);
    release();
    await until("the ack", () => connector.counts().acked === 1);
    assert.deepEqual(runs, { good: 2, bad: 2 });
  });
});

test("a message that fails always becomes a dead letter after its retries", async () => {
  await withMemory(dlq(2, 1), async ({ connector, log }) => {
    const seen: unknown[] = [];
    connector.subscribe(
      "#",
      flow(({ payload }) => {
        seen.push(payload);
        if (payload === "poison") throw failure();
      }),
    );
    await connector.consume();
    connector.write(request("k.poison", "poison"));
    connector.write(request("k.good", "good"));
    await until("the dead letter", () => connector.counts().dead_lettered === 1);
    assert.deepEqual(seen, ["poison", "good", "poison", "poison"]);
    const { retried, discarded, acked } = connector.counts();
    assert.deepEqual({ retried, discarded, acked }, { retried: 2, discarded: 0, acked: 1 });
    const [level, text] = log.at(-1)!;
    assert.equal(level, "error");
    assert.match(
      text,
      /k\.poison was moved to the dead-letter queue dead: flow_failed: flow "test" failed/,
    );
  });
});

test("without dlq a message is delivered three times, a second apart, then discarded", async () => {
  const clock = new ManualClock();
  const { connector, log } = await makeMq({ driver: "memory" }, "events", clock);
  const times: number[] = [];
  connector.subscribe(
    "#",
    flow(() => {
      times.push(clock.elapsed());
      throw failure();
    }),
  );
  await connector.consume();
  connector.write(request("k", 1));
  await clock.advance(60_000);
  assert.deepEqual(times, [0, 1000, 2000]);
  assert.equal(connector.counts().discarded, 1);
  assert.match(log.at(-1)![1], /message k was discarded/);
  await connector.close();
});

test("what cannot succeed is not repeated, also where its filter fails", async () => {
  await withMemory(dlq(5, 1), async ({ connector }) => {
    let runs = 0;
    connector.subscribe(
      "run",
      flow(() => {
        runs++;
        throw failure(true);
      }),
    );
    connector.subscribe(
      "filter",
      flow(() => runs++, () => {
        throw failure(true);
      }),
    );
    await connector.consume();
    connector.write(request("run", 1));
    connector.write(request("filter", 1));
    await turn();
    assert.equal(runs, 1);
    assert.equal(connector.counts().dead_lettered, 2);
    assert.equal(connector.counts().retried, 0);
  });
});

test("no more than prefetch messages are at work, in the order published", async () => {
  await withMemory({ consumer: { prefetch: 3 } }, async ({ connector }) => {
    const started: unknown[] = [];
    const release: (() => void)[] = [];
    connector.subscribe(
      "#",
      flow(({ payload }) => {
        started.push(payload);
        return new Promise<void>((resolve) => release.push(resolve));
      }),
    );
    await connector.consume();
    for (let n = 0; n < 10; n++) connector.write(request("k", n));
    await turn();
    assert.deepEqual(started, [0, 1, 2]);
    release[1]();
    await turn();
    assert.deepEqual(started, [0, 1, 2, 3]);
    for (let n = 0; n < 10; n++) {
      release[n]?.();
      await turn();
    }
    await until("all", () => connector.counts().acked === 10);
    assert.deepEqual(started, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

test("drain waits for what is at work and queued, and no longer than needed", async () => {
  await withMemory({ consumer: { prefetch: 1, dlq: dlqOfAnHour } }, async ({ connector }) => {
    let ended = 0;
    let failed = false;
    connector.subscribe(
      "slow",
      flow(async () => {
        await turn();
        ended++;
      }),
    );
    connector.subscribe(
      "later",
      flow(() => {
        if (failed) return;
        failed = true;
        throw failure();
      }),
    );
    await connector.consume();
    connector.write(request("later", 1));
    await turn();
    for (let n = 0; n < 5; n++) connector.write(request("slow", n));
    await connector.drain();
    assert.equal(ended, 5);
    assert.equal(connector.counts().queued, 0);
    assert.equal(connector.counts().acked, 6);
  });
});

const dlqOfAnHour = { queue: "dead", max_retries: 3, retry_delay: 3_600_000 };

test("what close leaves undelivered is counted and logged", async () => {
  await withMemory({}, async ({ connector, log }) => {
    connector.subscribe("#", flow(() => undefined));
    connector.write(request("k", 1));
    await connector.drain();
    await connector.close();
    assert.equal(connector.counts().discarded, 1);
    assert.match(log[0][1], /message k was discarded/);
    assert.throws(() => connector.write(request("k", 1)), /closed/);
  });
});

test("a flow that publishes to its own connector leaves timers their turn", async () => {
  await withMemory({}, async ({ connector }) => {
    let runs = 0;
    let over = false;
    connector.subscribe(
      "#",
      flow(() => {
        runs++;
        if (!over) connector.write(request("k", runs));
      }),
    );
    await connector.consume();
    connector.write(request("k", 0));
    await turn();
    await turn();
    over = true;
    await connector.drain();
    assert.ok(runs > 1);
  });
});

test("ten thousand messages all arrive, in order", async () => {
  await withMemory({}, async ({ connector }) => {
    const seen: unknown[] = [];
    connector.subscribe("#", flow(({ payload }) => seen.push(payload)));
    await connector.consume();
    const numbers = Array.from({ length: 10_000 }, (_, n) => n);
    for (const n of numbers) connector.write(request("k", n));
    await connector.drain();
    assert.deepEqual(seen, numbers);
  });
});
