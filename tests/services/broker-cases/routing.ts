/** Which flows get an event, and how often. */
import assert from "node:assert/strict";
import { until } from "../../support/mq.ts";
import { counted, type Topic } from "./place.ts";

/** Operations, patterns and instances. */
export const routing: Topic = {
  "every flow that takes an event runs once": async (place) => {
    const runs = { exact: 0, same: 0, all: 0, other: 0 };
    const made = await place.make({
      flows: [
        ["order.new", () => runs.exact++],
        ["order.new", () => runs.same++],
        ["all", () => runs.all++],
        ["order.old", () => runs.other++],
      ],
    });
    await place.send(made, "order.new", {});
    const deliveries = place.kind.separate && place.kind.all !== undefined ? 2 : 1;
    await counted(made, "acked", deliveries);
    assert.deepEqual(runs, { exact: 1, same: 1, all: 1, other: 0 });
    assert.equal(made.connector.counts().consumed, deliveries);
    assert.equal(made.connector.counts().published, 1);
  },

  "patterns take what they should": async (place) => {
    const { patterns } = place.kind;
    const seen = patterns.map((): string[] => []);
    let ended = false;
    const made = await place.make({
      // In order: the event behind all others is the last one.
      prefetch: 1,
      flows: [
        ...patterns.map(([pattern], i) =>
          [pattern, ({ input }: { input: Record<string, unknown> }) => {
            if (input.name !== "end") seen[i].push(String(input.name));
          }] as const
        ),
        ["end", () => ended = true] as const,
      ],
    });
    const names = new Set(patterns.flatMap(([, taken, refused]) => [...taken, ...refused]));
    for (const name of [...names, "end"]) await place.send(made, name, { name });
    await until("the last event", () => ended);
    for (const [i, [pattern, taken]] of patterns.entries()) {
      assert.deepEqual(seen[i].sort(), [...taken].sort(), pattern);
    }
  },

  "instances share what they should share": async (place) => {
    const seen: unknown[] = [];
    const flows = [[
      "order.new",
      ({ payload }: { payload: unknown }) => seen.push(payload),
    ]] as const;
    const [one, two] = [await place.make({ flows }), await place.make({ flows })];
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    for (const n of numbers) await place.send(one, "order.new", n);
    const wanted = place.kind.shared ? numbers : numbers.flatMap((n) => [n, n]);
    await until("all", () => seen.length >= wanted.length);
    const acked = () => one.connector.counts().acked + two.connector.counts().acked;
    await until("the acks", () => acked() === wanted.length);
    assert.deepEqual(seen.map(Number).sort((a, b) => a - b), wanted);
  },

  "each group gets every event": async (place) => {
    const seen: string[] = [];
    const { group } = place.names;
    for (const name of [group, `${group}-b`]) {
      await place.make({ group: name, flows: [["order.new", () => seen.push(name)]] });
    }
    const sender = await place.make({ group: `${group}-c` });
    await place.send(sender, "order.new", {});
    await until("both", () => seen.length >= 2);
    assert.deepEqual(seen.sort(), [group, `${group}-b`]);
    assert.equal(sender.connector.counts().consumed, 0);
  },
};
