/** What a flow refuses, what it leaves out, and what it makes of the rest. */
import type { Row } from "../row.ts";
import {
  BROKER,
  ENDS,
  flow,
  FROM,
  inWorld,
  payloads,
  REST,
  to,
  withFolder,
  type World,
} from "../support.ts";

const ORDER_TYPE = `
type "order" {
  n = number({ max = 5 })
}
`;

const DOUBLED = `
transform "doubled" {
  twice = "input.n * 2"
}
`;

/** The rows of `accept`, `validate`, `dedupe`, `transform` and `response`. */
export const ruleRows: readonly Row[] = [
  {
    attribute: "flow/accept/when",
    text: 'when = "input.n > 1"',
    observe: (text) => emitted(`accept {\n${text}\n}`, [{ n: 1 }, { n: 2 }]),
    without: ["missing-attribute"],
    with: { told: [{ error: "rejected" }, "done"], written: [{ n: 2 }] },
  },
  {
    attribute: "flow/accept/on_reject",
    text: 'on_reject = "ack"',
    observe: (text) => {
      const accept = `accept {\nwhen = "input.n > 1"\n${text}\n}`;
      const body = `from {\nconnector = "api"\noperation = "POST /orders"\n}\n${accept}\n${
        to("a")
      }`;
      return inWorld(REST + ENDS + flow(body), async ({ request, deliveries }) => {
        const { status } = await request("POST /orders", { n: 1 });
        return { status, written: payloads(deliveries) };
      });
    },
    without: { status: 403, written: [] },
    with: { status: 204, written: [] },
  },
  {
    attribute: "flow/accept/on_reject",
    text: 'on_reject = "requeue"',
    observe(text) {
      const open = "timestamp(now()) > timestamp('2026-01-01T00:00:00Z')";
      const accept = `accept {\nwhen = "${open}"\n${text}\n}`;
      const body = `from {\nconnector = "events"\n}\n${accept}\n${to("a")}`;
      return inWorld(BROKER + ENDS + flow(body), async ({ runtime, clock, deliveries }) => {
        await runtime.publish("order", { n: 1 });
        await clock.advance(5_000);
        return payloads(deliveries);
      });
    },
    without: [],
    // The broker delivers again after a second.
    with: [{ n: 1 }],
  },
  {
    attribute: "flow/validate/input",
    text: 'validate {\ninput = "order"\n}',
    observe: (text) => emitted(text, [{ n: 7 }, { n: 2 }], ORDER_TYPE),
    without: { told: ["done", "done"], written: [{ n: 7 }, { n: 2 }] },
    with: {
      told: [
        { error: "validation_failed", details: [{ path: "n", message: "must be at most 5" }] },
        "done",
      ],
      written: [{ n: 2 }],
    },
  },
  {
    attribute: "flow/validate/output",
    text: 'validate {\noutput = "order"\n}',
    observe: (text) =>
      emitted(`${text}\ntransform {\nn = "input.n * 3"\n}`, [{ n: 2 }, { n: 1 }], ORDER_TYPE),
    // What comes in is an order each time, what goes on is not.
    without: { told: ["done", "done"], written: [{ n: 6 }, { n: 3 }] },
    with: {
      told: [
        { error: "validation_failed", details: [{ path: "n", message: "must be at most 5" }] },
        "done",
      ],
      written: [{ n: 3 }],
    },
  },
  {
    attribute: "flow/transform",
    text: 'transform {\nm = "input.n + 1"\nt = "output.m * 2"\n}',
    observe: (text) => emitted(text, [{ n: 1 }]),
    without: { told: ["done"], written: [{ n: 1 }] },
    with: { told: ["done"], written: [{ m: 2, t: 4 }] },
  },
  {
    attribute: "flow/transform/extend",
    text: "extend = true",
    observe: (text) => emitted(`transform {\n${text}\nm = "input.n + 1"\n}`, [{ n: 1 }]),
    without: { told: ["done"], written: [{ m: 2 }] },
    with: { told: ["done"], written: [{ n: 1, m: 2 }] },
  },
  {
    attribute: "flow/transform/use",
    text: 'use = "transform.doubled"',
    observe: (text) => emitted(`transform {\n${text}\nn = "input.n"\n}`, [{ n: 1 }], DOUBLED),
    without: { told: ["done"], written: [{ n: 1 }] },
    with: { told: ["done"], written: [{ twice: 2, n: 1 }] },
  },
  {
    attribute: "flow/dedupe/key",
    text: 'key = "input.id"',
    observe: (text) =>
      emitted(`dedupe {\n${text}\nttl = "10m"\n}`, [{ id: 1 }, { id: 2 }, { id: 1 }]),
    without: ["missing-attribute"],
    with: { told: ["done", "done", "done"], written: [{ id: 1 }, { id: 2 }] },
  },
  {
    attribute: "flow/dedupe/ttl",
    text: 'ttl = "10m"',
    observe: (text) =>
      inWorld(deduped(text), async ({ emit, clock, deliveries }) => {
        for (let minute = 0; minute < 12; minute += 3) {
          await emit({ id: 1, minute });
          await clock.advance(3 * 60_000);
        }
        await emit({ id: 1, minute: 12 });
        return payloads(deliveries);
      }),
    without: ["missing-attribute"],
    with: [{ id: 1, minute: 0 }, { id: 1, minute: 12 }],
  },
  {
    attribute: "flow/dedupe/max_keys",
    text: "max_keys = 1",
    observe: (text) =>
      inWorld(deduped(`ttl = "10m"\n${text}`), async ({ emit, deliveries }) => {
        for (const id of [1, 1, 2, 1]) await emit({ id });
        return payloads(deliveries);
      }),
    without: [{ id: 1 }, { id: 2 }],
    with: [{ id: 1 }, { id: 2 }, { id: 1 }],
  },
  {
    attribute: "flow/dedupe/store",
    text: 'store = "db"',
    observe: (text) =>
      withFolder(async (folder) => {
        const config = `${DATABASE}${deduped(`ttl = "10m"\n${text}`)}`;
        const runOnce = () =>
          inWorld(config, async ({ emit, deliveries }) => {
            await emit({ id: 1 });
            return payloads(deliveries);
          }, { folder });
        return { first: await runOnce(), afterRestart: await runOnce() };
      }),
    without: { first: [{ id: 1 }], afterRestart: [{ id: 1 }] },
    with: { first: [{ id: 1 }], afterRestart: [] },
  },
  {
    attribute: "flow/response",
    text: 'response {\nid = "output.id"\nof = "input.n"\nall = "outputs.size()"\n}',
    observe: (text) =>
      inWorld(
        ENDS + flow(`${FROM}\n${to("a")}\n${to("b")}\n${text}`),
        ({ emit }) => emit({ n: 1 }),
        { reply: ({ connector }) => ({ id: connector }) },
      ),
    without: "done",
    with: { id: "a", of: 1, all: 2 },
  },
];

const DATABASE = `
connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = "keys.db"
}
`;

/** A flow that writes each event once; the attributes stand beside its key. */
function deduped(attributes: string): string {
  return ENDS + flow(`${FROM}\ndedupe {\nkey = "input.id"\n${attributes}\n}\n${to("a")}`);
}

/** What the senders of events are told, and what is written, by a flow with these blocks. */
function emitted(blocks: string, events: readonly unknown[], others = ""): Promise<unknown> {
  const look = async ({ emit, deliveries }: World) => {
    const told: unknown[] = [];
    for (const event of events) told.push(await emit(event));
    return { told, written: payloads(deliveries) };
  };
  return inWorld(ENDS + others + flow(`${FROM}\n${blocks}\n${to("a")}`), look);
}
