/** Redis: channels, which keep nothing, and streams with consumer groups. */
import { Buffer } from "node:buffer";
import { RESP_TYPES } from "@redis/client";
import { openRedis, SHARED } from "../../support/redis.ts";
import { consumer, type Kind, type Names, type Outside } from "./kind.ts";

const key = ({ id }: Names, name: string): string => `${id}.${name}`;

const shared = {
  driver: "redis",
  service: "redis",
  key,
  delays: true,
  ids: undefined,
  refusal: undefined,
} as const;

const channels: Kind = {
  ...shared,
  outside: () => outside(async (client, key, body) => void await client.publish(key, body)),
  attributes: (_names, consuming) => consumer(consuming, ""),
  letters: undefined,
  all: "*",
  patterns: [
    ["*", ["order", "order.new", "order.a.b", "bill.new"], []],
    ["order.*", ["order.new", "order.a.b"], ["order", "bill.new"]],
    ["?rder", ["order"], ["order.new", "bill.new"]],
    ["order.[m-o]?w", ["order.new"], ["order.a.b"]],
    ["order.\\*", [], ["order.new"]],
    ["order.new", ["order.new"], ["order"]],
  ],
  separate: true,
  shared: false,
  keeps: false,
  headers: undefined,
  metadata: (_names, key) => ({ _channel: key, _pattern: null }),
};

const streams: Kind = {
  ...shared,
  outside: () => outside(async (client, key, body) => void await client.xAdd(key, "*", { body })),
  attributes: ({ group }, consuming) => `queue { name = "${group}" }\n${consumer(consuming, "")}`,
  letters: ({ group }) => ({
    attributes: 'queue { name = "letters" }',
    operation: `${group}.dlq`,
  }),
  all: undefined,
  patterns: [["order.new", ["order.new"], ["order", "bill.new"]], ["bill.new", ["bill.new"], []]],
  separate: true,
  shared: true,
  keeps: true,
  headers: (sent) =>
    Object.fromEntries(
      Object.entries(sent).map((
        [name, value],
      ) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
  metadata: (_names, key) => ({ _stream: key }),
};

type Client = Awaited<ReturnType<typeof openRedis>>;

/** Bodies are bytes to it. */
async function outside(
  send: (client: Client, key: string, body: Buffer) => Promise<void>,
): Promise<Outside> {
  const client = await openRedis(SHARED);
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    send: (_names, key, body) => send(client, key, Buffer.from(body)),
    async letters({ group }) {
      const entries = await bytes.xRange(`${group}.dlq`, "-", "+");
      return (entries ?? []).map(({ message }) => message.body);
    },
    async clear({ id }) {
      const keys = await client.keys(`*${id}*`);
      if (keys.length > 0) await client.del(keys);
    },
    async close() {
      await client.close();
    },
  };
}

/** Its kinds. */
export const redisKinds: Readonly<Record<string, Kind>> = {
  "Redis, channels": channels,
  "Redis, streams": streams,
};
