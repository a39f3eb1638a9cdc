/** How events end: handled, redelivered, given up. */
import assert from "node:assert/strict";
import type { FlowEvent } from "../../../src/contract/connector.ts";
import { failure, refusing, until } from "../../support/mq.ts";
import { counted, type Made, type Place, type Topic } from "./place.ts";

const RETRIES = 'max_retries = 2\nretry_delay = "50ms"';

/** Waits until events have failed for good, wherever they go. */
async function givenUp(place: Place, made: Made, count: number): Promise<void> {
  await counted(made, place.keepsLetters ? "dead_lettered" : "discarded", count);
}

/** Settlement. */
export const settlement: Topic = {
  "at most prefetch events are handled at once": async (place) => {
    const { opened, open } = place.gate();
    let [now, most] = [0, 0];
    const made = await place.make({
      prefetch: 3,
      flows: [["order.new", async () => {
        most = Math.max(most, ++now);
        await opened;
        now--;
      }]],
    });
    for (let n = 0; n < 10; n++) await place.send(made, "order.new", n);
    await until("three", () => now === 3);
    assert.equal(made.connector.counts().acked, 0);
    open();
    await counted(made, "acked", 10);
    assert.equal(most, 3);
  },

  "with a prefetch of 1 events keep their order": async (place) => {
    const seen: unknown[] = [];
    const made = await place.make({
      prefetch: 1,
      flows: [["order.new", async ({ payload }) => {
        if (Number(payload) % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(payload);
      }]],
    });
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    for (const n of numbers) await place.send(made, "order.new", n);
    await counted(made, "acked", 30);
    assert.deepEqual(seen, numbers);
  },

  "an event is acked when all of its flows have ended": async (place) => {
    const { opened, open } = place.gate();
    let quick = 0;
    const made = await place.make({
      flows: [["order.new", () => quick++], ["order.new", () => opened]],
    });
    await place.send(made, "order.new", {});
    await until("the quick one", () => quick === 1);
    assert.equal(made.connector.counts().acked, 0);
    open();
    await counted(made, "acked", 1);
    assert.equal(quick, 1);
  },

  "a failing event comes again to all of its flows": async (place) => {
    const runs = { good: 0, bad: 0 };
    const made = await place.make({
      dlq: RETRIES,
      flows: [["order.new", () => runs.good++], ["order.new", () => {
        if (++runs.bad < 2) throw failure();
      }]],
    });
    await place.send(made, "order.new", {});
    await counted(made, "acked", 1);
    assert.deepEqual(runs, { good: 2, bad: 2 });
    assert.equal(made.connector.counts().retried, 1);
  },

  "others pass while an event waits for its next delivery": async (place) => {
    const seen: unknown[] = [];
    const made = await place.make({
      prefetch: place.kind.delays ? 1 : 2,
      dlq: 'retry_delay = "1h"',
      flows: [["order.new", ({ payload }) => {
        if (payload === 0 && !seen.includes(0)) {
          seen.push(0);
          throw failure();
        }
        seen.push(payload);
      }]],
    });
    for (let n = 0; n < 5; n++) await place.send(made, "order.new", n);
    await until("the others", () => seen.length >= 5);
    // Without a dlq block it comes again after a second.
    assert.deepEqual([...new Set(seen)].sort(), [0, 1, 2, 3, 4]);
    assert.equal(made.connector.counts().retried, 1);
  },

  "what cannot succeed is not repeated": async (place) => {
    const seen: unknown[] = [];
    const made = await place.make({
      dlq: 'retry_delay = "1h"',
      flows: [["order.new", ({ payload }) => {
        seen.push(payload);
        if (payload === 0) throw failure(true);
      }]],
    });
    for (const n of [0, 1]) await place.send(made, "order.new", n);
    await givenUp(place, made, 1);
    await counted(made, "acked", 1);
    assert.deepEqual([seen, made.connector.counts().retried], [[0, 1], 0]);
  },

  "a dead letter says where it comes from, and why": async (place) => {
    if (!place.keepsLetters) return;
    const letters = await place.letters();
    const before = Date.now();
    let runs = 0;
    const made = await place.make({
      dlq: RETRIES,
      flows: [["order.new", () => {
        runs++;
        throw failure();
      }]],
    });
    const payload = { id: 7, text: "é" };
    await place.send(made, "order.new", payload, { headers: { trace: "abc" } });
    await givenUp(place, made, 1);
    await until("the letter", () => letters.length === 1);
    assert.equal(runs, 3);
    const { body, headers } = letters[0].input as { body: unknown; headers: FlowEvent["input"] };
    assert.deepEqual(body, payload);
    // What the broker itself needs is beside them.
    const { "x-weir-time": time, "x-weir-exchange": exchange, "Nats-Msg-Id": _, ...rest } = headers;
    const wanted = {
      trace: "abc",
      "x-weir-routing-key": place.key("order.new"),
      "x-weir-reason": 'flow_failed: flow "test" failed (ref 0badc0de)',
      "x-weir-flow": "test",
      "x-weir-retries": 2,
    };
    assert.deepEqual(rest, place.kind.headers?.(wanted));
    const at = Date.parse(String(time));
    assert.ok(at >= before && at <= Date.now(), String(time));
    assert.equal(exchange, place.kind.metadata(place.names, "").exchange);
  },

  "without a dlq block there are three deliveries, and then it is discarded": async (place) => {
    let runs = 0;
    const made = await place.make({
      flows: [["order.new", () => {
        runs++;
        throw failure();
      }]],
    });
    await place.send(made, "order.new", {});
    await counted(made, "discarded", 1);
    const { consumed, retried, dead_lettered } = made.connector.counts();
    assert.deepEqual({ runs, consumed, retried, dead_lettered }, {
      ...{ runs: 3, consumed: 3, retried: 2, dead_lettered: 0 },
    });
    const [last] = made.log.records.slice(-1);
    assert.equal(last.level, "error");
    assert.match(last.text, /^message \S+ was discarded: flow_failed: flow "test" failed/);
  },

  "what no flow takes is settled as the filters say": async (place) => {
    const making = { dlq: 'max_retries = 9\nretry_delay = "50ms"' };
    const [ack, reject, requeue] = await Promise.all(
      (["ack", "reject", "requeue"] as const).map(async (settlement) => {
        const group = `${place.names.group}-${settlement}`;
        const flows = [[`order.${settlement}`, refusing(settlement, 1)]] as const;
        return await place.make({ ...making, group, flows });
      }),
    );
    const sender = await place.make();
    for (const name of ["ack", "reject", "requeue"]) await place.send(sender, `order.${name}`, {});
    await counted(ack, "acked", 1);
    await givenUp(place, reject, 1);
    await givenUp(place, requeue, 1);
    const numbers = (
      { connector }: Made,
    ) => [connector.counts().consumed, connector.counts().retried];
    assert.deepEqual([ack, reject, requeue].map(numbers), [[1, 0], [1, 0], [2, 1]]);
  },

  "the counts add up": async (place) => {
    const made = await place.make({
      dlq: 'max_retries = 0\nretry_delay = "50ms"',
      flows: [["order.new", ({ payload }) => {
        if (Number(payload) % 4 === 0) throw failure(true);
      }]],
    });
    for (let n = 0; n < 20; n++) await place.send(made, "order.new", n);
    await counted(made, "acked", 15);
    await givenUp(place, made, 5);
    const { published, consumed, acked, retried, dead_lettered, discarded, queued = 0 } = made
      .connector.counts();
    assert.deepEqual({ published, consumed, retried, queued }, {
      ...{ published: 20, consumed: 20, retried: 0, queued: 0 },
    });
    assert.equal(acked + dead_lettered + discarded, published);
  },
};
