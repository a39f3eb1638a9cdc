/** What a flow refuses between its steps. */
import type { Row } from "../row.ts";
import { BROKER, ENDS, flow, inWorld, payloads, REST, to } from "../support.ts";

/** The rows of `reject`. */
export const rejectRows: readonly Row[] = [
  {
    attribute: "flow/reject/when",
    text: 'when = "input.n > 1"',
    observe: (text) => answered(`code = "too_many"\n${text}`),
    without: ["missing-attribute"],
    with: { status: 403, body: refusal("too_many"), written: [] },
  },
  {
    attribute: "flow/reject/when",
    text: 'when = "outputs == [null]"',
    observe: (text) => answered(`code = "too_many"\n${text}`, to("a")),
    without: ["missing-attribute"],
    with: { status: 403, body: refusal("too_many"), written: [{ n: 2 }] },
  },
  {
    attribute: "flow/reject/code",
    text: 'code = "too_many"',
    observe: (text) => answered(`when = "input.n > 1"\n${text}`),
    without: ["missing-attribute"],
    with: { status: 403, body: refusal("too_many"), written: [] },
  },
  {
    attribute: "flow/reject/status",
    text: "status = 404",
    observe: (text) => answered(`when = "input.n > 1"\ncode = "too_many"\n${text}`),
    without: { status: 403, body: refusal("too_many"), written: [] },
    with: { status: 404, body: refusal("too_many"), written: [] },
  },
  {
    attribute: "flow/reject/message",
    text: 'message = "one at a time"',
    observe: (text) => answered(`when = "input.n > 1"\ncode = "too_many"\n${text}`),
    without: { status: 403, body: refusal("too_many"), written: [] },
    with: { status: 403, body: refusal("too_many", "one at a time"), written: [] },
  },
  {
    attribute: "flow/reject/on_reject",
    text: 'on_reject = "ack"',
    observe: (text) => answered(`when = "input.n > 1"\ncode = "too_many"\n${text}`),
    without: { status: 403, body: refusal("too_many"), written: [] },
    with: { status: 204, body: null, written: [] },
  },
  {
    attribute: "flow/reject/on_reject",
    text: 'on_reject = "requeue"',
    observe: (text) => settled(text),
    without: { written: [], counts: { retried: 0, acked: 0, discarded: 1 } },
    // The broker delivers again after a second.
    with: { written: [{ n: 2 }], counts: { retried: 1, acked: 1, discarded: 0 } },
  },
  {
    attribute: "flow/reject/on_reject",
    text: 'on_reject = "ack"',
    observe: (text) => settled(text),
    without: { written: [], counts: { retried: 0, acked: 0, discarded: 1 } },
    with: { written: [], counts: { retried: 0, acked: 1, discarded: 0 } },
  },
];

function refusal(code: string, message = 'flow "f" rejected the event') {
  return { error: { code, message } };
}

/** What an HTTP caller is answered by a flow with this `reject`, below `above`, and what is written. */
function answered(reject: string, above = ""): Promise<unknown> {
  const from = 'from {\nconnector = "api"\noperation = "POST /orders"\n}';
  const body = [from, above, `reject {\n${reject}\n}`, to("a")].join("\n");
  return inWorld(REST + ENDS + flow(body), async ({ request, deliveries }) => {
    const answer = await request("POST /orders", { n: 2 });
    return { ...answer, written: payloads(deliveries) };
  });
}

/** What becomes of a message that a flow refuses in the first second. */
function settled(onReject: string): Promise<unknown> {
  const early = "timestamp(now()) <= timestamp('2026-01-01T00:00:00Z')";
  const reject = `reject {\nwhen = "${early}"\ncode = "too_early"\n${onReject}\n}`;
  const body = `from {\nconnector = "events"\n}\n${reject}\n${to("a")}`;
  return inWorld(BROKER + ENDS + flow(body), async ({ runtime, clock, deliveries }) => {
    await runtime.publish("order", { n: 2 });
    await clock.advance(5_000);
    const { retried, acked, discarded } = runtime.counts()["events"];
    return { written: payloads(deliveries), counts: { retried, acked, discarded } };
  });
}
