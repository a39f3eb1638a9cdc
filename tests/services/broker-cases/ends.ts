/** Publishes that fail, and the end of a connector: what is settled, and what is left for the next. */
import assert from "node:assert/strict";
import { ConnectorError } from "../../../src/base/errors.ts";
import type { FlowEvent } from "../../../src/contract/connector.ts";
import { failure, until } from "../../support/mq.ts";
import { counted, type Topic } from "./place.ts";

const isFinal = (error: unknown): boolean => error instanceof ConnectorError && !error.permanent;

/** Refusals, and ends. */
export const ends: Topic = {
  "what nothing takes is published, unless something must take it": async (place) => {
    const plain = await place.make();
    await place.send(plain, "order.new", {});
    assert.equal(plain.connector.counts().published, 1);
    const { refusal } = place.kind;
    if (refusal === undefined) return;
    const { attributes, reason } = refusal(place.names);
    const demanding = await place.make({ attributes });
    await assert.rejects(place.send(demanding, "nobody.takes.it.now", {}), (error: Error) => {
      assert.match(error.message, reason);
      return isFinal(error);
    });
    assert.equal(demanding.connector.counts().published, 0);
  },

  "an end settles what is in hand, and leaves the others to the next one": async (place) => {
    const seen: unknown[] = [];
    const { opened, open } = place.gate();
    let running = 0;
    const flows = [["order.new", async ({ payload }: FlowEvent) => {
      running++;
      await opened;
      seen.push(payload);
    }]] as const;
    const first = await place.make({ prefetch: 3, flows });
    const numbers = Array.from({ length: 12 }, (_, n) => n);
    for (const n of numbers) await place.send(first, "order.new", n);
    await until("three", () => running === 3);
    const ending = first.end();
    open();
    await ending;
    assert.ok(seen.length >= 3);
    const { acked, consumed } = first.connector.counts();
    assert.deepEqual([acked, consumed], [seen.length, seen.length]);
    // What another broker has sent to nobody is lost.
    if (!place.kind.keeps && !place.played) return;
    await place.make({ flows });
    await until("all", () => seen.length >= numbers.length);
    assert.deepEqual(seen.map(Number).sort((a, b) => a - b), numbers);
  },

  "events wait for a consumer that is away": async (place) => {
    if (!place.kind.keeps || place.played) return;
    const seen: unknown[] = [];
    const flows = [["order.new", ({ payload }: FlowEvent) => seen.push(payload)]] as const;
    const first = await place.make({ flows });
    await first.end();
    const sender = await place.make({ group: `${place.names.group}-sender` });
    for (const n of [1, 2, 3]) await place.send(sender, "order.new", n);
    const next = await place.make({ flows, prefetch: 1 });
    await counted(next, "acked", 3);
    assert.deepEqual(seen, [1, 2, 3]);
  },

  "an event that waits for its next delivery comes to the next one": async (place) => {
    if (!place.kind.keeps || place.played) return;
    const runs: string[] = [];
    const dlq = 'max_retries = 2\nretry_delay = "300ms"';
    const first = await place.make({
      dlq,
      flows: [["order.new", () => {
        runs.push("first");
        throw failure();
      }]],
    });
    await place.send(first, "order.new", {});
    await until("the failure", () => first.connector.counts().retried === 1);
    await first.end();
    const next = await place.make({ dlq, flows: [["order.new", () => runs.push("next")]] });
    await counted(next, "acked", 1);
    assert.deepEqual(runs, ["first", "next"]);
  },

  "after the end a publish fails, and another end does no harm": async (place) => {
    const made = await place.make({ flows: [["order.new", () => {}]] });
    await made.end();
    await assert.rejects(place.send(made, "order.new", {}), isFinal);
    assert.equal(made.connector.counts().published, 0);
    await made.connector.stop();
    await made.connector.close();
  },
};
