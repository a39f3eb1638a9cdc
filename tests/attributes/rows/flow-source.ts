/** Where a flow's events come from, and how long it may take. */
import type { Row } from "../row.ts";
import { after, BROKER, ENDS, flow, FROM, inWorld, payloads, sinks, to } from "../support.ts";

/** The rows of `from`, `when` and `timeout`. */
export const sourceRows: readonly Row[] = [
  {
    attribute: "flow/from/connector",
    text: 'connector = "in"',
    observe: (text) =>
      inWorld(ENDS + flow(`from {\n${text}\n}\n${to("a")}`), async (world) => {
        await world.emit({ n: 1 });
        return world.deliveries;
      }),
    without: ["missing-attribute"],
    with: [{ connector: "a", payload: { n: 1 } }],
  },
  {
    attribute: "flow/from/operation",
    text: 'operation = "order"',
    observe: (text) =>
      inWorld(ENDS + flow(`from {\nconnector = "in"\n${text}\n}\n${to("a")}`), async (world) => {
        await world.emit({ n: 1 }, "order");
        await world.emit({ n: 2 }, "invoice");
        return payloads(world.deliveries);
      }),
    without: [{ n: 1 }, { n: 2 }],
    with: [{ n: 1 }],
  },
  {
    attribute: "flow/from/filter",
    text: 'filter = "input.n > 1"',
    observe: (text) =>
      inWorld(ENDS + flow(`from {\nconnector = "in"\n${text}\n}\n${to("a")}`), async (world) => {
        const told = [await world.emit({ n: 1 }), await world.emit({ n: 2 })];
        return { told, written: payloads(world.deliveries) };
      }),
    without: { told: ["done", "done"], written: [{ n: 1 }, { n: 2 }] },
    with: { told: ["no flow", "done"], written: [{ n: 2 }] },
  },
  {
    attribute: "flow/from/filter/condition",
    text: 'condition = "input.n > 1"',
    observe: (text) =>
      inWorld(
        ENDS + flow(`from {\nconnector = "in"\nfilter {\n${text}\n}\n}\n${to("a")}`),
        async (world) => {
          const told = [await world.emit({ n: 1 }), await world.emit({ n: 2 })];
          return { told, written: payloads(world.deliveries) };
        },
      ),
    without: ["missing-attribute"],
    with: { told: ["no flow", "done"], written: [{ n: 2 }] },
  },
  {
    attribute: "flow/from/filter/on_reject",
    text: 'on_reject = "requeue"',
    // The broker delivers again after a second, and then the filter takes it.
    observe: (text) => deliveredAfter(500, text),
    without: { written: [], acked: 1 },
    with: { written: [{ n: 1 }], acked: 1 },
  },
  {
    attribute: "flow/from/filter/on_reject",
    text: 'on_reject = "reject"',
    observe: (text) => deliveredAfter(500, text),
    without: { written: [], acked: 1 },
    with: { written: [], acked: 0 },
  },
  {
    attribute: "flow/from/filter/max_requeue",
    text: "max_requeue = 1",
    observe: (text) => deliveredAfter(2500, `on_reject = "requeue"\n${text}`),
    // By default it comes three times again, the third time when the filter takes it.
    without: { written: [{ n: 1 }], acked: 1 },
    with: { written: [], acked: 0 },
  },
  {
    attribute: "flow/when",
    text: 'when = "@every 5s"',
    observe: (text) =>
      inWorld(ENDS + flow(`${text}\n${to("a")}`), async ({ clock, deliveries }) => {
        await clock.advance(11_000);
        return payloads(deliveries);
      }),
    without: ["missing-source"],
    with: [
      { scheduled_at: "2026-01-01T00:00:05.000Z" },
      { scheduled_at: "2026-01-01T00:00:10.000Z" },
    ],
  },
  {
    attribute: "flow/timeout",
    text: 'timeout = "5s"',
    observe: (text) =>
      inWorld(
        ENDS + flow(`${text}\n${FROM}\n${to("a")}\n${to("b")}`),
        async ({ emit, clock, deliveries }) => {
          const told = emit({ n: 1 });
          await clock.advance(7_000);
          return { told: await told, asked: sinks(deliveries) };
        },
        { reply: ({ connector }, clock) => connector === "a" ? after(6_000, clock) : undefined },
      ),
    without: { told: "done", asked: ["a", "b"] },
    with: { told: { error: "timeout" }, asked: ["a"] },
  },
];

/** What becomes of a message that the flow's filter takes only after so many milliseconds. */
function deliveredAfter(milliseconds: number, settlement: string): Promise<unknown> {
  const opens = new Date(Date.UTC(2026, 0, 1) + milliseconds).toISOString();
  const condition = `condition = "timestamp(now()) >= timestamp('${opens}')"`;
  const from = `from {\nconnector = "events"\nfilter {\n${condition}\n${settlement}\n}\n}`;
  return inWorld(
    BROKER + ENDS + flow(`${from}\n${to("a")}`),
    async ({ runtime, clock, deliveries }) => {
      await runtime.publish("order", { n: 1 });
      await clock.advance(10_000);
      return { written: payloads(deliveries), acked: runtime.counts().events.acked };
    },
  );
}
