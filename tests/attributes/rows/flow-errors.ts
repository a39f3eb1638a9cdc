/** What becomes of an event whose flow has failed. */
import type { Row } from "../row.ts";
import { ENDS, flow, FROM, inWorld, REST, to } from "../support.ts";

/** The rows of `retry` and `error_response`. */
export const errorRows: readonly Row[] = [
  {
    attribute: "flow/error_handling/retry/attempts",
    text: "attempts = 3",
    observe: (text) => triedAt(text),
    without: [0],
    with: [0, 1_000, 2_000],
  },
  {
    attribute: "flow/error_handling/retry/delay",
    text: 'delay = "100ms"',
    observe: (text) => triedAt(`attempts = 3\n${text}`),
    without: [0, 1_000, 2_000],
    with: [0, 100, 200],
  },
  {
    attribute: "flow/error_handling/retry/backoff",
    text: 'backoff = "exponential"',
    observe: (text) => triedAt(`attempts = 4\ndelay = "100ms"\n${text}`),
    without: [0, 100, 200, 300],
    with: [0, 100, 300, 700],
  },
  {
    attribute: "flow/error_handling/retry/backoff",
    text: 'backoff = "linear"',
    observe: (text) => triedAt(`attempts = 4\ndelay = "100ms"\n${text}`),
    without: [0, 100, 200, 300],
    with: [0, 100, 300, 600],
  },
  {
    attribute: "flow/error_handling/retry/max_delay",
    text: 'max_delay = "150ms"',
    observe: (text) => triedAt(`attempts = 4\ndelay = "100ms"\nbackoff = "exponential"\n${text}`),
    without: [0, 100, 300, 700],
    with: [0, 100, 250, 400],
  },
  {
    attribute: "flow/error_handling/error_response/when",
    text: "when = \"error.code == 'timeout' && error.step == 'a'\"",
    observe: (text) =>
      answered(
        `${text}\nstatus = 504\n}\nerror_response {\nstatus = 503\nbody {\nof = "input.n"\n}`,
      ),
    without: ["unreachable-block"],
    with: { status: 503, body: { of: 1 } },
  },
  {
    attribute: "flow/error_handling/error_response/when",
    text: "when = \"error.code == 'flow_failed' && error.step == 'a'\"",
    observe: (text) =>
      answered(
        `${text}\nstatus = 504\n}\nerror_response {\nstatus = 503\nbody {\nof = "input.n"\n}`,
      ),
    without: ["unreachable-block"],
    with: {
      status: 504,
      body: { error: { code: "flow_failed", message: 'flow "f" failed (ref REF)' } },
    },
  },
  {
    attribute: "flow/error_handling/error_response/status",
    text: "status = 503",
    observe: (text) => answered(`${text}\nbody {\nof = "input.n"\n}`),
    without: { status: 500, body: { of: 1 } },
    with: { status: 503, body: { of: 1 } },
  },
  {
    attribute: "flow/error_handling/error_response/body",
    text: 'body {\nwhy = "error.code"\nof = "input.n"\n}',
    observe: (text) => answered(`status = 503\n${text}`),
    without: {
      status: 503,
      body: { error: { code: "flow_failed", message: 'flow "f" failed (ref REF)' } },
    },
    with: { status: 503, body: { why: "flow_failed", of: 1 } },
  },
];

/** When a destination that always fails is asked, in milliseconds after the event. */
function triedAt(retry: string): Promise<readonly number[]> {
  const tries: number[] = [];
  const config = ENDS + flow(`${FROM}\n${to("a")}\nerror_handling {\nretry {\n${retry}\n}\n}`);
  return inWorld(config, async ({ emit, clock }) => {
    const told = emit({ n: 1 });
    await clock.advance(60_000);
    await told;
    return tries;
  }, {
    reply(_delivery, clock) {
      tries.push(clock.elapsed());
      throw new Error("away");
    },
  });
}

/** What an HTTP caller is answered by a flow that fails. */
function answered(errorResponse: string): Promise<unknown> {
  const body = [
    'from {\nconnector = "api"\noperation = "POST /orders"\n}',
    to("a"),
    `error_handling {\nerror_response {\n${errorResponse}\n}\n}`,
  ].join("\n");
  return inWorld(REST + ENDS + flow(body), ({ request }) => request("POST /orders", { n: 1 }), {
    reply() {
      throw new Error("away");
    },
  });
}
