/** What is in an event: bodies, headers and what the broker adds. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { FlowEvent } from "../../../src/contract/connector.ts";
import { until } from "../../support/mq.ts";
import type { Headers } from "./kind.ts";
import { counted, type Place, type Topic } from "./place.ts";

const bodies: readonly unknown[] = [
  {},
  { id: 7, nested: { list: [1, [2], { three: 3 }], nothing: null } },
  { "": 1, " ": 2, body: "mine", headers: "mine" },
  JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}'),
  [],
  [1, "two", null],
  "text",
  "",
  '日本 \u{1F600} é \u0000 \\ " \u2028',
  0,
  -1.5,
  1e21,
  true,
  false,
  null,
];

/** Bodies that are not JSON, or nest too deep. */
const nonsense: readonly Uint8Array[] = [
  "{no json",
  "",
  '"\n"',
  "NaN",
  `${"[".repeat(5000)}${"]".repeat(5000)}`,
  Buffer.from([0xff, 0xfe, 0x7b]),
  Buffer.from([0x22, 0xc3, 0x28, 0x22]),
  new Uint8Array(2000).fill(0),
].map((body) => Buffer.from(body as string));

/** Publishes one event and returns it as a flow has seen it. */
async function eventOf(
  place: Place,
  payload: unknown,
  options?: { readonly headers?: Headers; readonly message_id?: string },
): Promise<FlowEvent> {
  const seen: FlowEvent[] = [];
  const made = await place.make({ flows: [["order.new", (event) => seen.push(event)]] });
  await place.send(made, "order.new", payload, options);
  await counted(made, "acked", 1);
  return seen[0];
}

/** Bodies, headers and metadata. */
export const messages: Topic = {
  "a body of any kind arrives as it was, in its order": async (place) => {
    const seen: FlowEvent[] = [];
    const made = await place.make({
      prefetch: 1,
      flows: [["order.new", (event) => seen.push(event)]],
    });
    for (const body of bodies) await place.send(made, "order.new", body);
    await counted(made, "acked", bodies.length);
    assert.deepEqual(seen.map(({ payload }) => payload), bodies);
    for (const { payload, input } of seen) assert.deepEqual(input.body, payload);
    const [, , , { input, payload }] = seen;
    assert.deepEqual([input.admin, Object.hasOwn(payload as object, "__proto__")], [
      undefined,
      true,
    ]);
  },

  "what the broker adds is beside the fields of the body": async (place) => {
    const event = await eventOf(place, { id: 7, body: "mine" });
    const { id, body, headers } = event.input;
    assert.deepEqual([id, body], [7, { id: 7, body: "mine" }]);
    assert.deepEqual(headers, place.kind.headers?.({}));
    const metadata = place.kind.metadata(place.names, place.key("order.new"));
    const names = Object.keys(metadata);
    assert.deepEqual(Object.fromEntries(names.map((name) => [name, event.input[name]])), metadata);
  },

  "headers arrive": async (place) => {
    const { headers } = place.kind;
    if (headers === undefined) return;
    const sent = { trace: "abc", empty: "", n: 7, yes: true, gone: null };
    const { input } = await eventOf(place, {}, { headers: sent });
    assert.deepEqual(input.headers, headers(sent));
  },

  "a big body arrives": async (place) => {
    const text = 'é"\n'.repeat(100_000);
    const { payload } = await eventOf(place, { text });
    assert.ok((payload as { text: string }).text === text);
  },

  "a message has its id": async (place) => {
    const { ids } = place.kind;
    if (ids === undefined) return;
    if (ids === "shown") {
      const { input } = await eventOf(place, {}, { message_id: "m-1" });
      assert.equal((input.properties as Headers).message_id, "m-1");
      return;
    }
    const seen: unknown[] = [];
    const flows = [["order.new", ({ payload }: FlowEvent) => seen.push(payload)]] as const;
    const made = await place.make({ flows, prefetch: 1 });
    const all = [["m-1", 1], ["m-1", 2], ["m-2", 3], [undefined, 4], [undefined, 5]] as const;
    for (const [message_id, payload] of all) {
      await place.send(made, "order.new", payload, message_id === undefined ? {} : { message_id });
    }
    await counted(made, "acked", 4);
    assert.deepEqual(seen, [1, 3, 4, 5]);
  },

  "what is not JSON fails for good, is kept as it is, and the next ones pass": async (place) => {
    const { outside, names } = place;
    // Whatever is played is JSON.
    if (outside === undefined) return;
    const seen: unknown[] = [];
    const made = await place.make({
      dlq: 'retry_delay = "1h"',
      flows: [["order.new", ({ payload }) => seen.push(payload)]],
    });
    for (const body of nonsense) await outside.send(names, place.key("order.new"), body);
    await outside.send(names, place.key("order.new"), Buffer.from(' {"a" : 1.0}\n'));
    await until("the good one", () => seen.length === 1);
    const end = place.keepsLetters ? "dead_lettered" : "discarded";
    await counted(made, end, nonsense.length);
    assert.deepEqual([seen, made.connector.counts().retried], [[{ a: 1 }], 0]);
    const reasons = made.log.records.filter(({ level }) => level === "error");
    assert.equal(reasons.length, nonsense.length);
    for (const { text } of reasons) assert.match(text, /its body (?:is not JSON|nests deeper)/);
    if (!place.keepsLetters) return;
    const kept = (await outside.letters(names)).map((body) => Buffer.from(body).toString("hex"));
    assert.deepEqual(kept.sort(), nonsense.map((body) => Buffer.from(body).toString("hex")).sort());
  },

  "what cannot be sent is refused for good": async (place) => {
    const made = await place.make();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const refused = async (name: string, payload: unknown, reason: RegExp) => {
      await assert.rejects(place.send(made, name, payload), (error: Error) => {
        assert.match(error.message, reason);
        assert.equal("permanent" in error && error.permanent, true);
        return true;
      });
    };
    await refused("order.new", cycle, /the payload cannot be written as JSON/);
    await refused("order.new", { n: 1n }, /the payload cannot be written as JSON/);
    await refused("a\ud83d", {}, /the routing key has half of a surrogate pair/);
    await refused("k".repeat(70_000), {}, /the routing key .* has more than \d+ bytes/);
    assert.equal(made.connector.counts().published, 0);
  },
};
