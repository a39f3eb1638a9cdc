/** The attributes of the `rest` connector. */
import { listenerRows, withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";

const ORIGIN = "https://example.com";

const echo = (body: string) => `
  connector "api" {
    type = "rest"
    port = 0
    ${body}
  }
  flow "echo" {
    from {
      connector = "api"
      operation = "POST /echo"
    }
    response { text = "input.text" }
  }
`;

const post = (text: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", origin: ORIGIN },
  body: JSON.stringify({ text }),
});

/** Each of them, with a scenario that it changes. */
export const restRows: readonly Row[] = [
  ...listenerRows("rest"),
  {
    // Which pages may call, as a browser is told before a call and with its answer.
    attribute: "connector rest/cors",
    text: `cors = ["${ORIGIN}"]`,
    observe: (text) =>
      withServer(echo(text), async ({ fetch }) => {
        const preflight = await fetch("/echo", {
          method: "OPTIONS",
          headers: { origin: ORIGIN, "access-control-request-method": "POST" },
        });
        const call = await fetch("/echo", post("hello"));
        await Promise.all([preflight.body?.cancel(), call.body?.cancel()]);
        return [preflight, call].map(({ headers }) => headers.get("access-control-allow-origin"));
      }),
    without: [null, null],
    with: [ORIGIN, ORIGIN],
  },
  {
    attribute: "connector rest/max_body_size",
    text: 'max_body_size = "1KB"',
    observe: (text) =>
      withServer(echo(text), async ({ fetch }) => {
        const response = await fetch("/echo", post("x".repeat(1024)));
        await response.body?.cancel();
        return response.status;
      }),
    without: 200,
    with: 413,
  },
];
