/** The blocks of the `websocket` connector that limit its clients. */
import type { SocketClient } from "../../support/socket-client.ts";
import { flows, websocket } from "../../support/socket-contract.ts";
import { withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";

const FILLER = "x".repeat(32 * 1024);

/** Each of them, with a scenario that it changes. */
export const websocketLimitRows: readonly Row[] = [
  {
    attribute: "connector websocket/rate_limit/messages",
    text: "messages = 2",
    observe: (text) => answers(`${text}\nper = "1h"`),
    without: ["missing-attribute"],
    with: ["ack", "ack", "rate_limited"],
  },
  {
    // Whether the next frame would be served within two seconds.
    attribute: "connector websocket/rate_limit/per",
    text: 'per = "1h"',
    observe: (text) =>
      limited(`messages = 1\n${text}`, async (client) => {
        await client.ask({ type: "echo", id: 1 });
        return Number((await client.ask({ type: "echo", id: 2 })).retry_after_ms) <= 2_000;
      }),
    without: true,
    with: false,
  },
  {
    attribute: "connector websocket/rate_limit/burst",
    text: "burst = 2",
    observe: (text) => answers(`messages = 1\nper = "1h"\n${text}`),
    without: ["ack", "rate_limited", "rate_limited"],
    with: ["ack", "ack", "rate_limited"],
  },
  {
    attribute: "connector websocket/slow_client/queue",
    text: 'queue = "16KB"',
    observe: (text) =>
      withServer(websocket(`slow_client {\n${text}\n}`), async ({ connect, runtime }) => {
        await connect();
        return await runtime.broadcast(FILLER).catch(({ message }: Error) => message);
      }),
    without: 1,
    with: 'connector "ws": a message of 32800 bytes is larger than a client\'s queue',
  },
  {
    attribute: "connector websocket/slow_client/policy",
    text: 'policy = "drop_oldest"',
    observe: (text) => overflow(`queue = "128KB"\n${text}`),
    without: "closed_slow",
    with: "dropped",
  },
  {
    attribute: "connector websocket/slow_client/key",
    text: 'key = "output.key"',
    observe: (text) => overflow(`queue = "128KB"\npolicy = "coalesce"\n${text}`),
    without: [
      "missing-key",
    ],
    with: "coalesced",
  },
];

/** Gives a client to a connector with such a rate. */
function limited<T>(block: string, look: (client: SocketClient) => Promise<T>): Promise<T> {
  const config = websocket(`rate_limit {\n${block}\n}`) + flows;
  return withServer(config, async ({ connect }) => await look(await connect()));
}

/** How three frames are answered. */
function answers(block: string): Promise<readonly unknown[]> {
  return limited(block, async (client) => {
    client.say(...[1, 2, 3].map((id) => ({ type: "echo", id })));
    return (await client.hearMany(3)).map(({ type, code }) => code ?? type);
  });
}

/** What becomes first of a client that reads nothing. */
function overflow(block: string): Promise<string | undefined> {
  const config = websocket(`slow_client {\n${block}\n}`);
  return withServer(config, async ({ connect, runtime }) => {
    (await connect()).socket.pause();
    const ends = ["closed_slow", "dropped", "coalesced"];
    for (let sent = 0; sent < 4_000; sent++) {
      await runtime.broadcast({ key: 1, filler: FILLER });
      await new Promise((resolve) => setImmediate(resolve));
      const found = ends.find((name) => runtime.counts().ws[name] > 0);
      if (found !== undefined) return found;
    }
    return undefined;
  });
}
