/** Redis in the tests of faults: channels, and streams with a group. */
import { Buffer } from "node:buffer";
import { type OwnServer, PASSWORD } from "../../support/own-server.ts";
import { openRedis, type RedisClient, withRedis } from "../../support/redis.ts";
import {
  type ConnectorOptions,
  consumerOf,
  type Kind,
  type Letter,
  type Peer,
  type Refusal,
} from "./kind.ts";
import { redis } from "./servers.ts";

function urlOf(port: number, user = "default"): string {
  return `redis://${user}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`;
}

async function ask({ port }: OwnServer, ...command: string[]): Promise<unknown> {
  return await withRedis(urlOf(port), (client) => client.sendCommand(command));
}

async function disconnect(found: OwnServer): Promise<void> {
  await ask(found, "CLIENT", "KILL", "USER", "weir");
}

/** One that has lost its server has ended by itself. */
function end(client: RedisClient): Promise<void> {
  if (client.isOpen) client.destroy();
  return Promise.resolve();
}

function textOf(body: unknown): string | Buffer {
  return Buffer.isBuffer(body) ? body : JSON.stringify(body);
}

/** Its user may not, or it has no memory. */
const refusals: readonly Refusal[] = [
  { what: "no permission", key: (id) => `forbidden:${id}`, reason: /NOPERM/ },
  {
    what: "out of memory",
    async arrange(found) {
      await ask(found, "CONFIG", "SET", "maxmemory", "1");
      return () => ask(found, "CONFIG", "SET", "maxmemory", "0");
    },
    reason: /OOM/,
  },
];

export const channels: Kind = {
  title: "Redis channels",
  name: "channels",
  server: redis,
  keeps: false,
  deadLetters: false,
  key: (id, word) => `${id}:${word}`,
  connector: ({ port }) => `
    connector "channels" {
      type   = "mq"
      driver = "redis"
      url    = ${JSON.stringify(urlOf(port, "weir"))}
    }
  `,
  async connect({ port }) {
    const client = await openRedis(urlOf(port));
    return {
      async publish(key, body) {
        await client.publish(key, textOf(body));
      },
      waiting: () => Promise.resolve(0),
      letters: () => Promise.resolve([]),
      close: () => end(client),
    };
  },
  disconnect,
  removals: {},
  // Channels need no memory.
  refusals: refusals.slice(0, 1),
};

export const streams: Kind = {
  title: "Redis streams",
  name: "streams",
  server: redis,
  keeps: true,
  deadLetters: true,
  key: (id, word) => `${id}:${word}`,
  connector: ({ id, port, ...consuming }: ConnectorOptions) => `
    connector "streams" {
      type   = "mq"
      driver = "redis"
      url    = ${JSON.stringify(urlOf(port, "weir"))}
      queue {
        name = "${id}"
      }
      publisher {
        mode = "stream"
      }
      ${consumerOf(consuming, `stream = "${id}:dlq"`, 'claim_after = "1s"')}
    }
  `,
  async connect({ port }, id) {
    return new StreamPeer(await openRedis(urlOf(port)), id);
  },
  disconnect,
  removals: {
    async "a group"(found, id) {
      await ask(found, "XGROUP", "DESTROY", `${id}:in`, id);
    },
    async "a stream"(found, id) {
      await ask(found, "DEL", `${id}:in`);
    },
  },
  refusals,
};

class StreamPeer implements Peer {
  readonly #client: RedisClient;
  readonly #id: string;
  readonly #keys = new Set<string>();

  constructor(client: RedisClient, id: string) {
    this.#client = client;
    this.#id = id;
  }

  async publish(key: string, body: unknown): Promise<void> {
    this.#keys.add(key);
    await this.#client.xAdd(key, "*", { body: textOf(body) });
  }

  async waiting(): Promise<number> {
    let waiting = 0;
    for (const key of this.#keys) {
      const group = (await this.#client.xInfoGroups(key)).find(({ name }) => name === this.#id);
      waiting += (group?.pending ?? 0) + (group?.lag ?? 0);
    }
    return waiting;
  }

  async letters(): Promise<readonly Letter[]> {
    const entries = await this.#client.xRange(`${this.#id}:dlq`, "-", "+");
    return (entries ?? []).map(({ message: { body, ...fields } }) => ({
      body: readBody(body),
      headers: Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name.replace(/^h\./, ""), value]),
      ),
    }));
  }

  close(): Promise<void> {
    return end(this.#client);
  }
}

function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
