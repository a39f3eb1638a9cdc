/** What tells an operator of faults of clients, of flows and of what they ask over HTTP. */
import { flows } from "../../docs/monitoring/faults.ts";
import { forge, SECRET } from "../support/auth.ts";
import { type Answer, reply, withApi } from "../support/http-api.ts";
import { keptPort } from "../support/ports.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { pause, until } from "../support/socket-probe.ts";
import type { RunningHost } from "../support/socket-hosts.ts";
import { type Bench, type Cause, symptomTests } from "../support/symptoms.ts";
import { Sink } from "./metrics-support.ts";

/** A client of a "ws" connector with these lines. */
function clients(
  lines: string,
  act: (bench: Bench, parts: {
    readonly service: RunningHost;
    readonly connect: () => Promise<SocketClient>;
  }) => Promise<void>,
  more = "",
): Cause {
  return {
    async play(bench) {
      const service = await bench.serve(`
        connector "ws" {
          type = "websocket"
          port = 0
          ${lines}
        }
        ${more}
      `);
      const connect = async () => {
        const client = await SocketClient.connect(service.port);
        bench.onEnd(() => client.destroy());
        client.write(handshakeText("/ws"));
        return client;
      };
      await act(bench, { service, connect });
    },
  };
}

/** What a slow client has lost. */
const lost = ({ dropped, coalesced, closed_slow }: Readonly<Record<string, number>>) =>
  dropped + coalesced + closed_slow;

/** A client that does not read, and a service that goes on sending to it. */
const slow = (policy: string, more = "") =>
  clients(
    `slow_client {\n queue = "1MB"\n policy = "${policy}"\n ${more}\n}`,
    async (bench, { service: { runtime }, connect }) => {
      const client = await connect();
      await client.upgraded();
      client.socket.pause();
      await bench.happens(async () => {
        const before = lost(runtime.counts().ws);
        await until("a full queue", async () => {
          await runtime.broadcast({ key: "a", text: "x".repeat(64 * 1024) });
          return lost(runtime.counts().ws) > before;
        }, 0);
      });
    },
  );

/** A flow "work" with these parts, between a broker in the process and a sink. */
const work = (parts: string, source = 'from {\nconnector = "events"\noperation = "work"\n}') => `
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  connector "sink" {
    type = "sink"
  }
  flow "work" {
    ${source}
    ${parts}
  }
`;

/** A flow that gets an event. */
function working(config: string, event: unknown = {}): Cause {
  return {
    async play(bench) {
      const sink = new Sink();
      bench.onEnd(() => sink.release());
      const { runtime } = await bench.serve(config, sink.connectors);
      await bench.happens(() => runtime.publish("work", event));
      sink.release();
    },
  };
}

const TO_SINK = 'to {\nconnector = "sink"\n}';

/** A flow that asks an API, which answers like this; undefined for one that does not run. */
function asking(answer: Answer | undefined): Cause {
  const config = (url: string) => `
    connector "api" {
      type     = "http"
      base_url = "${url}"
      timeout  = "200ms"
      retry {
        attempts = 1
      }
    }
    ${work('to {\nconnector = "api"\noperation = "GET /"\n}')}
  `;
  return {
    async play(bench) {
      if (answer === undefined) {
        return await working(config(`http://127.0.0.1:${await keptPort()}`)).play(bench);
      }
      await withApi(answer, (api) => working(config(api.url)).play(bench));
    },
  };
}

const auth = (keys: string) => `auth {\n jwt {\n ${keys}\n }\n from = ["query:token"]\n}`;

await symptomTests(flows, {
  "`max_connections` clients are connected": clients(
    "max_connections = 1",
    async (bench, { connect }) => {
      await (await connect()).upgraded();
      await bench.happens(connect);
    },
  ),
  "a client has no token, or a bad one": clients(
    auth(`secret = "${SECRET}"`),
    (bench, { connect }) => bench.happens(connect),
  ),
  "the keys that tokens are verified with cannot be fetched": {
    async play(bench) {
      const port = await keptPort();
      const keys = `jwks_url = "http://127.0.0.1:${port}/keys"`;
      await clients(auth(keys), async (bench, { service }) => {
        const client = await SocketClient.connect(service.port);
        bench.onEnd(() => client.destroy());
        const token = forge({ alg: "RS256", kid: "a" }, {}, "signed");
        await bench.happens(() => client.write(handshakeText(`/ws?token=${token}`)));
      }).play(bench);
    },
  },
  "a client sends a frame that is not JSON": clients("", async (bench, { connect }) => {
    const client = await connect();
    await client.upgraded();
    await bench.happens(() => client.send({ payload: "[" }));
  }),
  "a client goes on sending such frames": clients("", async (bench, { connect }) => {
    const client = await connect();
    await client.upgraded();
    await bench.happens(() => client.send(...Array(101).fill({ payload: "[" })));
  }),
  "a client reads too slowly, with `drop_oldest`": slow("drop_oldest"),
  "a client reads too slowly, with `coalesce`": slow("coalesce", 'key = "output.key"'),
  "a client reads too slowly, with `disconnect`": slow("disconnect"),
  "a client does not answer pings": clients(
    'ping_interval = "200ms"\npong_timeout = "100ms"',
    async (bench, { service }) => {
      const client = await SocketClient.connect(service.port, { answerPings: false });
      bench.onEnd(() => client.destroy());
      client.write(handshakeText("/ws"));
      await bench.happens(() => client.upgraded());
    },
  ),
  "the look-up of a room's rule fails": clients(
    `
      room "team:*" {
        step "team" {
          connector = "db"
          query     = "SELECT name FROM nowhere"
        }
        join = "step.team != null"
      }
    `,
    async (bench, { connect }) => {
      const client = await connect();
      await client.upgraded();
      await bench.happens(() => client.say({ type: "join_room", room: "team:1", id: 1 }));
    },
    `
      connector "db" {
        type     = "database"
        driver   = "sqlite"
        database = ":memory:"
      }
      flow "join" {
        from {
          connector = "ws"
          operation = "join_room"
        }
      }
    `,
  ),
  "an expression of a flow fails": working(
    work(`transform {\n n = "input.n - 1"\n}\n${TO_SINK}`),
    { n: "text" },
  ),
  "a flow takes longer than its `timeout`": working(
    work(`timeout = "100ms"\n${TO_SINK}`),
    { do: "hold" },
  ),
  "a flow takes longer than its schedule": {
    async play(bench) {
      const sink = new Sink();
      bench.onEnd(() => sink.release());
      const transform = `transform {\n do = "'hold'"\n}`;
      await bench.serve(work(transform + "\n" + TO_SINK, 'when = "@every 200ms"'), sink.connectors);
      await bench.happens(() => pause(0));
      sink.release();
    },
  },
  "an API is down": asking(undefined),
  "an API does not answer in time": asking((): void => {}),
  "an API answers 401": asking(() => reply(401)),
});
