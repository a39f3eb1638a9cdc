import assert from "node:assert/strict";
import { test } from "node:test";
import { invalid, rejected } from "../../src/flow/error-handling.ts";
import { ManualClock } from "../support/clock.ts";
import { flow, type Made, makeMq, refusing, request } from "../support/mq.ts";

const dlq = { queue: "dead", max_retries: 2, retry_delay: 1000 };

/** A memory broker whose dead letters go to `dead`, and the clock that it waits with. */
async function withBroker(
  use: (made: Made & { readonly clock: ManualClock }) => Promise<void>,
  consumer: Record<string, unknown> = { prefetch: 10, dlq },
): Promise<void> {
  const clock = new ManualClock();
  const made = await makeMq({ driver: "memory", consumer }, "events", clock);
  try {
    await use({ ...made, clock });
  } finally {
    await made.connector.close();
  }
}

function fate({ connector }: Made): Readonly<Record<string, number>> {
  const { consumed, acked, retried, dead_lettered, discarded } = connector.counts();
  return { consumed, acked, retried, dead_lettered, discarded };
}

const none = { consumed: 1, acked: 0, retried: 0, dead_lettered: 0, discarded: 0 };

test("a message that no flow takes is acked where no filter says otherwise", async () => {
  await withBroker(async (made) => {
    made.connector.subscribe("k", refusing("ack"));
    made.connector.subscribe("k", flow(() => undefined, () => false));
    await made.connector.consume();
    made.connector.write(request("k", 1));
    await made.clock.advance(0);
    assert.deepEqual(fate(made), { ...none, acked: 1 });
    assert.deepEqual(made.log, []);
  });
});

test("reject: it is a dead letter at once, or discarded", async () => {
  await withBroker(async (made) => {
    made.connector.subscribe("#", refusing("reject"));
    await made.connector.consume();
    made.connector.write(request("k", 1));
    await made.clock.advance(0);
    assert.deepEqual(fate(made), { ...none, dead_lettered: 1 });
    assert.deepEqual(made.log, [
      ["error", "message k was moved to the dead-letter queue dead: no flow takes it"],
    ]);
  });
  await withBroker(async (made) => {
    made.connector.subscribe("#", refusing("reject"));
    await made.connector.consume();
    made.connector.write(request("k", 1));
    await made.clock.advance(0);
    assert.deepEqual(fate(made), { ...none, discarded: 1 });
    assert.deepEqual(made.log, [["error", "message k was discarded: no flow takes it"]]);
  }, { prefetch: 10 });
});

test("requeue: it is redelivered max_requeue times, each after retry_delay, then it is rejected", async () => {
  await withBroker(async (made) => {
    const { connector, clock, log } = made;
    connector.subscribe("#", refusing("requeue", 4));
    await connector.consume();
    connector.write(request("k", 1));
    await clock.advance(999);
    assert.equal(connector.counts().consumed, 1);
    await clock.advance(1);
    assert.equal(connector.counts().consumed, 2);
    await clock.advance(60_000);
    // More often than the two retries of the dlq.
    assert.deepEqual(fate(made), { ...none, consumed: 5, retried: 4, dead_lettered: 1 });
    assert.deepEqual(log[0], [
      "warn",
      "message k will be redelivered in 1000 ms: no flow takes it",
    ]);
    assert.equal(connector.counts().queued, 0);
  });
});

test("a flow that takes it the next time ends the matter", async () => {
  await withBroker(async (made) => {
    let ready = false;
    const seen: unknown[] = [];
    const { filterRefusal } = refusing("requeue", 5);
    const handler = flow(({ payload }) => seen.push(payload), () => ready);
    made.connector.subscribe("k", { ...handler, filterRefusal: filterRefusal! });
    await made.connector.consume();
    made.connector.write(request("k", { n: 1 }));
    await made.clock.advance(1000);
    ready = true;
    await made.clock.advance(1000);
    assert.deepEqual(seen, [{ n: 1 }]);
    assert.deepEqual(fate(made), { ...none, consumed: 3, retried: 2, acked: 1 });
  });
});

test("requeue beats reject beats ack, and the highest max_requeue counts", async () => {
  await withBroker(async (made) => {
    const { connector, clock } = made;
    const policies = [
      refusing("ack"),
      refusing("requeue", 1),
      refusing("reject"),
      refusing("requeue", 3),
    ];
    for (const handler of policies) connector.subscribe("both.*", handler);
    connector.subscribe("mild", refusing("ack"));
    connector.subscribe("mild", refusing("reject"));
    await connector.consume();
    connector.write(request("both.k", 1));
    await clock.advance(60_000);
    assert.deepEqual(fate(made), { ...none, consumed: 4, retried: 3, dead_lettered: 1 });
    connector.write(request("mild", 1));
    await clock.advance(60_000);
    assert.equal(connector.counts().dead_lettered, 2);
    assert.equal(connector.counts().consumed, 5);
  });
});

test("only filters of flows whose operation matches are asked, and only where no flow takes it", async () => {
  await withBroker(async (made) => {
    const { connector, clock } = made;
    connector.subscribe("other", refusing("reject"));
    connector.subscribe("k", refusing("requeue"));
    connector.subscribe("k", flow(() => undefined));
    connector.subscribe("quiet", flow(() => undefined, () => false));
    await connector.consume();
    connector.write(request("k", 1));
    connector.write(request("quiet", 1));
    await clock.advance(60_000);
    assert.deepEqual(fate(made), { ...none, consumed: 2, acked: 2 });
  });
});

test("a filter that fails is not a refusal", async () => {
  await withBroker(async (made) => {
    made.connector.subscribe("k", refusing("requeue"));
    made.connector.subscribe(
      "k",
      flow(() => undefined, () => {
        throw new Error("no such field");
      }),
    );
    await made.connector.consume();
    made.connector.write(request("k", 1));
    await made.clock.advance(60_000);
    assert.deepEqual(fate(made), { ...none, consumed: 3, retried: 2, dead_lettered: 1 });
    assert.match(made.log.at(-1)![1], /dead: no such field$/);
  });
});

test("drain waits for no clock: what would be redelivered later is redelivered at once, to its last attempt", async () => {
  await withBroker(async (made) => {
    made.connector.subscribe("#", refusing("requeue", 2));
    await made.connector.consume();
    made.connector.write(request("k", 1));
    await made.clock.advance(0);
    await made.connector.drain();
    assert.deepEqual(fate(made), { ...none, consumed: 3, retried: 2, dead_lettered: 1 });
    assert.equal(made.clock.waiting, 0);
  });
});

test("what a flow's accept refuses is a dead letter, or is redelivered as often as the dlq says", async () => {
  for (const permanent of [true, false]) {
    await withBroker(async (made) => {
      made.connector.subscribe(
        "k",
        flow(() => {
          throw rejected("guard", permanent);
        }),
      );
      await made.connector.consume();
      made.connector.write(request("k", 1));
      await made.clock.advance(60_000);
      const times = permanent ? {} : { consumed: 3, retried: 2 };
      assert.deepEqual(fate(made), { ...none, ...times, dead_lettered: 1 });
      assert.match(made.log.at(-1)![1], /dead: rejected: flow "guard" rejected the event$/);
    });
  }
});

test("data that is not valid is a dead letter at once, and the log says where it is wrong", async () => {
  await withBroker(async (made) => {
    const violations = [
      { path: "id", message: "is missing" },
      { path: "lines[0].n", message: "must be at least 1" },
      { path: "", message: "must have a name" },
    ];
    const run = flow(() => Promise.reject(invalid("orders", "order", violations)));
    made.connector.subscribe("k", run);
    await made.connector.consume();
    made.connector.write(request("k", { secret: "body" }));
    await made.clock.advance(60_000);
    assert.deepEqual(fate(made), { ...none, dead_lettered: 1 });
    assert.deepEqual(made.log, [[
      "error",
      "message k was moved to the dead-letter queue dead: " +
      'validation_failed: flow "orders": the data is not a valid order: ' +
      "id is missing, lines[0].n must be at least 1, must have a name",
    ]]);
  });
});

test("however much is wrong, the log gets a line", async () => {
  await withBroker(async (made) => {
    const violations = Array.from({ length: 100 }, (_, n) => ({
      path: `${"long".repeat(100)}[${n}]`,
      message: "is unknown",
    }));
    made.connector.subscribe(
      "k",
      flow(() => {
        throw invalid("orders", "order", violations);
      }),
    );
    await made.connector.consume();
    made.connector.write(request("k", 1));
    await made.clock.advance(0);
    assert.ok(made.log[0][1].length < 500, made.log[0][1]);
  });
});

test("the time of a message is the clock's", async () => {
  await withBroker(async ({ connector, clock }) => {
    const seen: unknown[] = [];
    connector.subscribe("k", flow(({ input }) => seen.push(input.properties)));
    await connector.consume();
    await clock.advance(1500);
    connector.write(request("k", 1));
    await clock.advance(0);
    const [{ timestamp }] = seen as { timestamp: number }[];
    assert.equal(timestamp, Math.floor(clock.now() / 1000));
  });
});
