/** The attributes of the `websocket` connector and of the `to` blocks that name one. */
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { makeCertificate, secureGet } from "../../support/certificate.ts";
import { DeflateClient } from "../../support/deflate-client.ts";
import type { Message, SocketClient } from "../../support/socket-client.ts";
import { flows, websocket } from "../../support/socket-contract.ts";
import { opcodes } from "../../support/socket-frames.ts";
import { until } from "../../support/socket-probe.ts";
import { listenerRows, withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";
import { withFolder } from "../support.ts";

/** A second connector, whose heartbeat is the measure of the first one's. */
const measure = (interval: string, timeout: string) => `
  connector "measure" {
    type          = "websocket"
    port          = 0
    path          = "/measure"
    ping_interval = "${interval}"
    pong_timeout  = "${timeout}"
  }
  flow "measured" {
    from {
      connector = "measure"
      operation = "probe"
    }
    to {
      connector = "probe"
    }
  }
`;

/** Frames of the type "news" go to everybody. */
const news = (destination: string) => `
  flow "news" {
    from {
      connector = "ws"
      operation = "news"
    }
    to {
      connector = "ws"
      operation = "broadcast"
      ${destination}
    }
  }
`;

/** Each of them, with a scenario that it changes. */
export const websocketRows: readonly Row[] = [
  ...listenerRows("websocket"),
  {
    attribute: "connector websocket/path",
    text: 'path = "/live"',
    observe: (text) =>
      withServer(websocket(text), async ({ handshake }) => ({
        "/ws": await handshake("/ws"),
        "/live": await handshake("/live"),
      })),
    without: { "/ws": 101, "/live": 404 },
    with: { "/ws": 404, "/live": 101 },
  },
  {
    attribute: "connector websocket/sse",
    text: 'sse = "/events"',
    observe: (text) =>
      withServer(websocket(text), async ({ stream }) => ({
        "/ws": await stream("/ws"),
        "/events": await stream("/events"),
      })),
    without: { "/ws": 426, "/events": 404 },
    with: { "/ws": 426, "/events": 200 },
  },
  {
    attribute: "connector websocket/client",
    text: 'client = "/weir.js"',
    observe: (text) =>
      withServer(websocket(text), async ({ fetch }) => {
        const { status, headers } = await fetch("/weir.js");
        return [status, headers.get("content-type")];
      }),
    without: [404, "application/json"],
    with: [200, "text/javascript; charset=utf-8"],
  },
  {
    // Whether a client is pinged while one of a connector whose interval is short is pinged thrice.
    attribute: "connector websocket/ping_interval",
    text: 'ping_interval = "300ms"',
    observe: (text) =>
      withServer(
        websocket(`pong_timeout = "300ms"\n${text}`) + measure("300ms", "300ms"),
        async ({ connect }) => {
          const [client, measure] = [await connect(), await connect("/measure")];
          const ends = [client.finish(), measure.finish()];
          await until("three pings", () => measure.pings >= 3);
          const pinged = client.pings > 0;
          for (const one of [client, measure]) one.close();
          await Promise.all(ends);
          return pinged;
        },
      ),
    without: false,
    with: true,
  },
  {
    // Of two clients that answer no ping, the one that is destroyed first.
    attribute: "connector websocket/pong_timeout",
    text: 'pong_timeout = "100ms"',
    observe: (text) =>
      withServer(
        websocket(`ping_interval = "10s"\n${text}`) + flows + measure("10s", "1s"),
        async ({ connect, probe }) => {
          probe.holds = true;
          const mute = { answerPings: false };
          const clients = [await connect("/ws", mute), await connect("/measure", mute)];
          // So many frames that the server stops reading; as soon as it reads again, it pings.
          for (const client of clients) client.say(...Array(100).fill({ type: "probe" }));
          await probe.received(2);
          probe.releaseAll();
          const ends = clients.map(async (client, index) => {
            const { ending } = await client.finish();
            return `${["ws", "measure"][index]} ended with ${ending.code}`;
          });
          return await Promise.race(ends);
        },
      ),
    without: "measure ended with 1006",
    with: "ws ended with 1006",
  },
  {
    attribute: "connector websocket/max_message_size",
    text: 'max_message_size = "1KB"',
    observe: (text) =>
      withServer(websocket(text) + flows, async ({ connect }) => {
        const client = await connect();
        client.say({ type: "echo", id: 1, data: "x".repeat(1024) });
        const { opcode, payload } = await client.frame();
        return opcode === opcodes.close
          ? `closed with ${payload.readUInt16BE()}`
          : JSON.parse(payload.toString()).type;
      }),
    without: "ack",
    with: "closed with 1009",
  },
  {
    attribute: "connector websocket/max_connections",
    text: "max_connections = 1",
    observe: (text) =>
      withServer(
        websocket(text),
        async ({ handshake }) => [await handshake("/ws"), await handshake("/ws")],
      ),
    without: [101, 101],
    with: [101, 503],
  },
  {
    attribute: "connector websocket/max_rooms",
    text: "max_rooms = 1",
    observe: (text) =>
      withServer(websocket(text), async ({ connect, runtime }) => {
        const client = await connect();
        const answers = [];
        for (const room of ["a", "b"]) {
          answers.push(codeOf(await client.ask({ type: "join_room", room, id: room })));
        }
        return { answers, reached: await runtime.sendToRoom("b", 1) };
      }),
    without: { answers: ["ack", "ack"], reached: 1 },
    with: { answers: ["ack", "too_many_rooms"], reached: 0 },
  },
  {
    // The order of the answers to a frame whose flow waits and to the next one.
    attribute: "connector websocket/concurrency",
    text: "concurrency = 2",
    observe: (text) =>
      withServer(websocket(text) + flows, async ({ connect, probe }) => {
        probe.holds = true;
        const client = await connect();
        client.say({ type: "probe", id: "first" }, { type: "echo", id: "second" });
        await probe.received(1);
        // Both have been read by now: a ping is answered at once.
        const early = await heard(client);
        probe.releaseAll();
        const answers = [...early, ...await client.hearMany(2 - early.length)];
        return answers.map(({ id }) => id);
      }),
    without: ["first", "second"],
    with: ["second", "first"],
  },
  {
    attribute: "connector websocket/compression",
    text: "compression = true",
    observe: (text) =>
      withServer(websocket(text) + flows, async ({ port }) => {
        const client = await DeflateClient.connect(port, "/ws");
        client.say({ type: "echo", id: 1, data: "x".repeat(2000) });
        const { compressed } = await client.hear();
        client.frames.destroy();
        return { agreed: client.extensions !== undefined, compressed };
      }),
    without: { agreed: false, compressed: false },
    with: { agreed: true, compressed: true },
  },
  {
    attribute: "connector websocket/tls/cert",
    text: 'cert = env("CERT")',
    observe: (text) => overTls(`${text}\nkey = env("KEY")`),
    without: ["missing-attribute"],
    with: 200,
  },
  {
    attribute: "connector websocket/tls/key",
    text: 'key = env("KEY")',
    observe: (text) => overTls(`${text}\ncert = env("CERT")`),
    without: ["missing-attribute"],
    with: 200,
  },
  {
    attribute: "connector websocket/static",
    text: 'static = env("FILES")',
    observe: (text) =>
      withFolder(async (folder) => {
        await writeFile(join(folder, "hello.txt"), "hello");
        return await withServer(websocket(text), async ({ fetch }) => {
          const response = await fetch("/hello.txt");
          const body = await response.text();
          return response.ok ? body : response.status;
        }, { FILES: folder });
      }),
    without: 404,
    with: "hello",
  },
  {
    attribute: "to websocket/filter",
    text: `filter = "client.user_id == input.reader"`,
    observe: readers,
    without: { ada: ["news"], bob: ["news"], eve: ["news"] },
    with: { ada: [], bob: ["news"], eve: [] },
  },
  {
    attribute: "to websocket/frame",
    text: 'frame = "headline"',
    observe: (text) =>
      withServer(websocket() + news(text), async ({ connect }) => {
        const client = await connect();
        client.say({ type: "news", data: "news" });
        return await client.hear();
      }),
    without: { type: "message", data: "news" },
    with: { type: "headline", data: "news" },
  },
  {
    attribute: "to websocket/exclude_sender",
    text: "exclude_sender = true",
    observe: readers,
    without: { ada: ["news"], bob: ["news"], eve: ["news"] },
    with: { ada: [], bob: ["news"], eve: ["news"] },
  },
];

/** The status of a request over TLS, where the block says this. */
function overTls(block: string): Promise<number | undefined> {
  return withFolder(async (folder) => {
    const certificate = await makeCertificate(folder, "cert");
    return await withServer(
      websocket(`tls {\n${block}\n}`),
      async ({ port }) => (await secureGet(port, "/health/live", certificate)).status,
      { CERT: certificate.cert, KEY: certificate.key },
    );
  });
}

/** Who reads what ada sends, where the flow's `to` says this. */
function readers(destination: string): Promise<Readonly<Record<string, readonly unknown[]>>> {
  return withServer(websocket() + news(destination), async ({ connect }) => {
    const clients: Record<string, SocketClient> = {};
    for (const user of ["ada", "bob", "eve"]) clients[user] = await connect(`/ws?user_id=${user}`);
    const data = { text: "news", reader: "bob" };
    clients.ada.say({ type: "news", data });
    const seen: Record<string, readonly unknown[]> = {};
    // Ada's ping is answered after her frame was served, and all that it caused was queued before.
    for (const [user, client] of Object.entries(clients)) {
      seen[user] = (await heard(client)).map((message) => (message.data as typeof data).text);
    }
    return seen;
  });
}

/** What a client has been sent until now. */
async function heard(client: SocketClient): Promise<readonly Message[]> {
  const messages: Message[] = [];
  client.say({ type: "ping" });
  for (;;) {
    const message = await client.hear();
    if (message.type === "pong") return messages;
    messages.push(message);
  }
}

function codeOf({ type, code }: Message): unknown {
  return type === "error" ? code : type;
}
