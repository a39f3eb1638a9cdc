/** The attributes of the `service` block. */
import { fileURLToPath } from "node:url";
import { flows, websocket } from "../../support/socket-contract.ts";
import { rawRequest } from "../../support/raw-http.ts";
import { pause } from "../../support/socket-probe.ts";
import { Sdk } from "../../support/tracing.ts";
import { type Server, withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";

const COUNTER = new URL("../../fixtures/plugins/counter.ts", import.meta.url);

const TOKEN = "0123456789abcdef0123456789abcdef";

/** A flow that answers with the result of the plugin's connector. */
const COUNTING = `connector "api" {
  type = "rest"
  port = 0
}
flow "count" {
  from {
    connector = "api"
    operation = "POST /count"
  }
  to {
    connector = "total"
  }
}
`;

/** A server with this in its `service` block. */
function serving<T>(text: string, look: (server: Server) => Promise<T>): Promise<T> {
  return withServer(`service {\n${text}\n}\n${websocket()}${flows}`, look);
}

/** What whoever asks whether it lives is told. */
async function health({ fetch }: Server): Promise<unknown> {
  return await (await fetch("/health/live")).json();
}

/** Each of them, with a scenario that it changes. */
export const serviceRows: readonly Row[] = [
  {
    attribute: "service/name",
    text: 'name = "chat"',
    observe: (text) => serving(text, health),
    without: { status: "ok" },
    with: { status: "ok", name: "chat" },
  },
  {
    attribute: "service/version",
    text: "version = 1.2",
    observe: (text) => serving(text, health),
    without: { status: "ok" },
    with: { status: "ok", version: "1.2" },
  },
  {
    // Where health is: on the port of the connector, or on one of its own.
    attribute: "service/admin_port",
    text: "admin_port = 0",
    observe: (text) =>
      serving(text, async ({ fetch, adminPort }) => {
        const path = "/health/live";
        const admin = adminPort && (await rawRequest(adminPort, { path })).status;
        return { connector: (await fetch(path)).status, admin };
      }),
    without: { connector: 200, admin: undefined },
    with: { connector: 404, admin: 200 },
  },
  {
    // Whether the other address of this machine is the one that it listens on.
    attribute: "service/admin_host",
    text: 'admin_host = "127.0.0.2"',
    observe: (text) =>
      serving(`admin_port = 0\nadmin_token = "${TOKEN}"\n${text}`, async ({ adminPort = 0 }) => {
        return await Promise.all(["127.0.0.1", "127.0.0.2"].map(async (address) => {
          const request = { path: "/health/live", address };
          return await rawRequest(adminPort, request).then(() => "answers", () => "is closed");
        }));
      }),
    without: ["answers", "is closed"],
    with: ["is closed", "answers"],
  },
  {
    // What a request without a token is told.
    attribute: "service/admin_token",
    text: `admin_token = "${TOKEN}"`,
    observe: (text) =>
      serving(`admin_port = 0\n${text}`, async ({ adminPort = 0 }) => {
        const path = "/health/live";
        const headers = { authorization: `Bearer ${TOKEN}` };
        const answers = [{ path }, { path, headers }];
        return await Promise.all(
          answers.map(async (request) => (await rawRequest(adminPort, request)).status),
        );
      }),
    without: [200, 200],
    with: [401, 200],
  },
  {
    // What a connector of the plugin's type answers.
    attribute: "service/plugins",
    text: `plugins = [${JSON.stringify(fileURLToPath(COUNTER))}]`,
    async observe(text) {
      const answer = `service {\n${text}\n}\nconnector "total" {\n  type = "counter"\n}\n`;
      return await withServer(answer + COUNTING, async ({ fetch }) => {
        return await (await fetch("/count", { method: "POST" })).json();
      });
    },
    without: ["unknown-connector-type"],
    with: { count: 1 },
  },
  {
    // Whether an end is over after three seconds although a flow is not.
    attribute: "service/shutdown_timeout",
    text: 'shutdown_timeout = "500ms"',
    observe: (text) =>
      serving(text, async ({ connect, probe, runtime }) => {
        probe.holds = true;
        const client = await connect();
        client.say({ type: "probe" });
        await probe.received(1);
        const closing = runtime.close();
        const isOver = await Promise.race([closing.then(() => true), pause(3_000)]) ?? false;
        probe.releaseAll();
        await Promise.all([closing, client.finish()]);
        return isOver;
      }),
    without: false,
    with: true,
  },
  {
    // Whether more than a second lies between the first of forty clients that is told and the last.
    attribute: "service/shutdown_spread",
    text: 'shutdown_spread = "0s"',
    observe: (text) =>
      serving(text, async ({ connect, runtime }) => {
        const clients = await Promise.all(Array.from({ length: 40 }, () => connect()));
        const told = clients.map(async (client) => {
          await client.ending();
          return performance.now();
        });
        await runtime.close();
        const times = await Promise.all(told);
        return Math.max(...times) - Math.min(...times) > 1_000;
      }),
    without: true,
    with: false,
  },
  {
    // Whether a flow has a span.
    attribute: "service/trace_ratio",
    text: "trace_ratio = 0",
    observe: (text) =>
      Sdk.with((sdk) =>
        serving(text, async ({ connect }) => {
          const client = await connect();
          await client.ask({ type: "probe", id: 1 });
          client.destroy();
          return sdk.spans.some(({ name }) => name.startsWith("probe "));
        })
      ),
    without: true,
    with: false,
  },
];
