/** The attributes of the `mqtt` connector. */
import { until } from "../../support/mq.ts";
import { consuming, greeting, published, secured } from "../mqtt-support.ts";
import type { Row } from "../row.ts";
import { payloads } from "../support.ts";

const WILL = 'topic = "gone"';

/** The will, where its block has these lines. */
const will = (lines: string) => greeting(`will {\n${lines}\n}`, (connect) => connect.will);

/** How often a message is delivered whose flow always fails, and when. */
function repeated(dlq: string, advances: readonly number[]): Promise<unknown> {
  const lines = `consumer {\ndlq {\ntopic = env("DEAD")\n${dlq}\n}\n}`;
  const reply = () => {
    throw new Error("always");
  };
  return consuming(lines, async ({ clock, deliveries, runtime }, bench) => {
    const other = await bench.client();
    await other.publishAsync(bench.below("x"), "1", { qos: 1 });
    await until("the first delivery", () => runtime.counts().devices.retried === 1);
    const counts: number[] = [];
    for (const milliseconds of advances) {
      await clock.advance(milliseconds);
      counts.push(deliveries.length);
    }
    return counts;
  }, { reply });
}

/** What these rows need is a port. */
export const mqttGreetingRows: readonly Row[] = [
  {
    attribute: "connector mqtt/url",
    text: 'url = env("URL")',
    observe: (text) => greeting(text === "" ? "# url = none" : text, ({ clean }) => clean),
    without: ["missing-attribute"],
    with: true,
  },
  {
    attribute: "connector mqtt/client_id",
    text: 'client_id = "meter"',
    observe: (text) =>
      greeting(text, ({ clientId }) => clientId.replace(/-[0-9a-f]{8}$/, "-RANDOM")),
    without: "weir-devices-RANDOM",
    with: "meter-RANDOM",
  },
  {
    attribute: "connector mqtt/username",
    text: 'username = "anna"',
    observe: (text) => greeting(text, ({ username }) => username),
    without: "nothing",
    with: "anna",
  },
  {
    attribute: "connector mqtt/password",
    text: 'password = "secret"',
    observe: (text) => greeting(`username = "anna"\n${text}`, ({ password }) => password),
    without: "nothing",
    with: "secret",
  },
  {
    attribute: "connector mqtt/protocol",
    text: "protocol = 4",
    observe: (text) => greeting(text, ({ protocol }) => protocol),
    without: 5,
    with: 4,
  },
  {
    attribute: "connector mqtt/clean",
    text: "clean = false",
    observe: (text) =>
      greeting(`client_id = "meter"\n${text}`, ({ clean, clientId, sessionExpiry }) => {
        return [clean, clientId.replace(/-[0-9a-f]{8}$/, "-RANDOM"), sessionExpiry];
      }),
    without: [true, "meter-RANDOM", undefined],
    with: [false, "meter", 86_400],
  },
  {
    attribute: "connector mqtt/session_expiry",
    text: 'session_expiry = "1h"',
    observe: (text) =>
      greeting(`client_id = "meter"\nclean = false\n${text}`, ({ sessionExpiry }) => sessionExpiry),
    without: 86_400,
    with: 3600,
  },
  {
    attribute: "connector mqtt/keep_alive",
    text: 'keep_alive = "1m"',
    observe: (text) => greeting(text, ({ keepAlive }) => keepAlive),
    without: 10,
    with: 60,
  },
  {
    attribute: "connector mqtt/will/topic",
    text: WILL,
    observe: will,
    without: ["missing-attribute"],
    with: { topic: "gone", payload: "", qos: 1, retain: false },
  },
  {
    attribute: "connector mqtt/will/payload",
    text: 'payload = "bye"',
    observe: (text) => will(`${WILL}\n${text}`),
    without: { topic: "gone", payload: "", qos: 1, retain: false },
    with: { topic: "gone", payload: "bye", qos: 1, retain: false },
  },
  {
    attribute: "connector mqtt/will/qos",
    text: "qos = 2",
    observe: (text) => will(`${WILL}\n${text}`),
    without: { topic: "gone", payload: "", qos: 1, retain: false },
    with: { topic: "gone", payload: "", qos: 2, retain: false },
  },
  {
    attribute: "connector mqtt/will/retain",
    text: "retain = true",
    observe: (text) => will(`${WILL}\n${text}`),
    without: { topic: "gone", payload: "", qos: 1, retain: false },
    with: { topic: "gone", payload: "", qos: 1, retain: true },
  },
  {
    // A url without TLS reaches a broker that has it.
    attribute: "connector mqtt/tls",
    text: 'ca = "ca.pem"',
    observe: (text) => secured(text === "" ? undefined : text),
    without: "not trusted",
    with: "anonymous",
  },
  {
    attribute: "connector mqtt/tls/ca",
    text: 'ca = "ca.pem"',
    observe: secured,
    without: "not trusted",
    with: "anonymous",
  },
  {
    attribute: "connector mqtt/tls/cert",
    text: 'cert = "cert.pem"',
    observe: (text) => secured(`ca = "ca.pem"\nkey = "key.pem"\n${text}`),
    without: ["missing-attribute"],
    with: "client",
  },
  {
    attribute: "connector mqtt/tls/key",
    text: 'key = "key.pem"',
    observe: (text) => secured(`ca = "ca.pem"\ncert = "cert.pem"\n${text}`),
    without: ["missing-attribute"],
    with: "client",
  },
  {
    attribute: "connector mqtt/tls/server_name",
    text: 'server_name = "other.example"',
    observe: (text) => secured(`ca = "ca.pem"\n${text}`),
    without: "anonymous",
    with: "not trusted",
  },
];

/** What these rows need is a real broker. */
export const mqttRows: readonly Row[] = [
  {
    attribute: "connector mqtt/qos",
    text: "qos = 0",
    observe: (text) =>
      consuming(text, async ({ deliveries }, bench) => {
        const other = await bench.client();
        await other.publishAsync(bench.below("x"), "1", { qos: 2 });
        await until("it", () => deliveries.length === 1);
        return payloads(deliveries);
      }),
    without: [{ body: 1, qos: 1 }],
    with: [{ body: 1, qos: 0 }],
  },
  {
    attribute: "connector mqtt/format",
    text: 'format = "text"',
    observe: (text) =>
      consuming(text, async ({ deliveries, runtime }, bench) => {
        const other = await bench.client();
        await other.publishAsync(bench.below("x"), "ON", { qos: 1 });
        await until("it", () => runtime.counts().devices.consumed === 1);
        return payloads(deliveries);
      }),
    without: [],
    with: [{ body: "ON", qos: 1 }],
  },
  {
    // How many of three events are at work when none of them ends.
    attribute: "connector mqtt/consumer/prefetch",
    text: "prefetch = 1",
    observe(text) {
      const gate = Promise.withResolvers<void>();
      return consuming(`consumer {\n${text}\n}`, async ({ deliveries, runtime }, bench) => {
        const other = await bench.client();
        for (let n = 0; n < 3; n++) {
          await other.publishAsync(bench.below("x"), String(n), { qos: 1 });
        }
        await until("three", () => {
          const { consumed, waiting } = runtime.counts().devices;
          return consumed + waiting === 3;
        });
        const atWork = deliveries.length;
        gate.resolve();
        await until("the others", () => deliveries.length === 3);
        return atWork;
      }, { reply: () => gate.promise });
    },
    without: 3,
    with: 1,
  },
  {
    attribute: "connector mqtt/consumer/dlq/topic",
    text: 'dlq {\ntopic = env("DEAD")\n}',
    observe: (text) =>
      consuming(`consumer {\n${text}\n}`, async ({ runtime }, bench) => {
        const heard = await bench.hear("dead");
        const other = await bench.client();
        await other.publishAsync(bench.below("x"), "no JSON", { qos: 1 });
        await until("its end", () => {
          const { dead_lettered, discarded } = runtime.counts().devices;
          return dead_lettered + discarded === 1;
        });
        if (text !== "") await until("the dead letter", () => heard.length === 1);
        return heard.map(({ text }) => text);
      }),
    without: [],
    with: ["no JSON"],
  },
  {
    attribute: "connector mqtt/consumer/dlq/max_retries",
    text: "max_retries = 1",
    observe: (text) => repeated(text, [3_600_000]),
    without: [4],
    with: [2],
  },
  {
    // How often it has been delivered after so many milliseconds.
    attribute: "connector mqtt/consumer/dlq/retry_delay",
    text: 'retry_delay = "10s"',
    observe: (text) => repeated(text, [999, 1, 8_999, 1]),
    without: [1, 2, 4, 4],
    with: [1, 1, 1, 2],
  },
  {
    attribute: "to mqtt/qos",
    text: "qos = 2",
    observe: (to) => published({ to }, ({ qos }) => qos),
    without: 1,
    with: 2,
  },
  {
    attribute: "to mqtt/headers",
    text: 'headers = { kind = "\'a\'", n = "[1, null]" }',
    observe: (to) => published({ to }, ({ headers }) => ({ ...headers })),
    without: {},
    with: { kind: "a", n: ["1", "null"] },
  },
  {
    attribute: "to mqtt/retain",
    text: "retain = true",
    observe: (to) => published({ to }, ({ text, retained }) => [text, retained], true),
    without: "nothing",
    with: ['{"n":1}', true],
  },
];
