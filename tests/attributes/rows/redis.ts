/** The attributes of the `mq` connector that act in Redis, shown with a real server. */
import { until } from "../../support/mq.ts";
import { type RedisClient, SHARED, withRedis } from "../../support/redis.ts";
import type { Row } from "../row.ts";
import { withServer } from "../connector-support.ts";
import { inWorld, REST, type World, type WorldOptions } from "../support.ts";

const CONSUMES = `
  connector "a" {
    type = "sink"
  }
  flow "consume" {
    from {
      connector = "events"
      operation = env("NAME")
    }
    to { connector = "a" }
  }
`;

/** What a row works with: the server as others see it, and a name that nobody else uses. */
interface Place {
  readonly client: RedisClient;
  readonly name: string;
}

/**
 * Runs a connector with these blocks: `POST /events` publishes its body to the test's own name. With
 * `CONSUMES` what comes goes to the sink "a".
 */
function withConnector<T>(
  blocks: string,
  look: (world: World, place: Place) => Promise<T>,
  { before = () => Promise.resolve(), flows = "", ...options }: WorldOptions & {
    readonly before?: (place: Place) => Promise<unknown>;
    readonly flows?: string;
  } = {},
): Promise<T> {
  const address = blocks.includes("url =") ? "" : `url = ["${SHARED}"]`;
  const config = `${REST}
    connector "events" {
      type   = "mq"
      driver = "redis"
      ${address}
      ${blocks}
    }
    flow "publish" {
      from {
        connector = "api"
        operation = "POST /events"
      }
      to {
        connector = "events"
        target    = env("NAME")
      }
    }
    ${flows}
  `;
  const name = `weir-test-${crypto.randomUUID()}`;
  return withRedis(SHARED, async (client) => {
    const place = { client, name };
    try {
      await before(place);
      const env = { NAME: name };
      return await inWorld(config, (world) => look(world, place), { ...options, env });
    } finally {
      await client.del([name, `${name}.dead`, `${name}.dlq`]);
    }
  });
}

/** What a client of one of two services of the same name hears of what the other one sends. */
async function heardOfTheOther(text: string): Promise<unknown> {
  const config = `
    service {
      name = "weir-test-${crypto.randomUUID()}"
    }
    connector "bus" {
      type   = "mq"
      driver = "redis"
      url    = "${SHARED}"
    }
    connector "ws" {
      type = "websocket"
      port = 0
      ${text}
    }
  `;
  return await withServer(config, (one) =>
    withServer(config, async (two) => {
      const client = await two.connect();
      await client.ask({ type: "join_room", room: "r", id: 1 });
      const recipients = await one.runtime.sendToRoom("r", 7);
      const end = { type: "ack", id: 2 };
      const [first] = await Promise.all([
        client.hear(),
        client.say({ type: "leave_room", room: "r", id: 2 }),
      ]);
      return { recipients, heard: first.type === end.type ? "nothing" : first };
    }));
}

/** How a start ends whose url is that of a Redis. */
async function started(attribute: string): Promise<unknown> {
  try {
    return await withConnector(`url = ["${SHARED}"]\n${attribute}`, ({ runtime }) => {
      return Promise.resolve(runtime.health().events ?? "connected");
    });
  } catch (error) {
    return /the Sentinel \S+ ERR unknown command/.exec(String(error))?.[0] ?? error;
  }
}

/** What flows get while an entry is pending for ten seconds that a dead consumer had in hand. */
function claimed(attribute: string): Promise<unknown> {
  return withConnector(
    `queue { name = "workers" }\nconsumer {\n${attribute}\n}`,
    async ({ request, deliveries }) => {
      await request("POST /events", "new");
      const isNew = ({ payload }: { readonly payload: unknown }) => payload === "new";
      await until("the new entry", () => deliveries.some(isNew));
      return deliveries.map(({ payload }) => payload);
    },
    {
      flows: CONSUMES,
      async before({ client, name }) {
        await client.xGroupCreate(name, "workers", "$", { MKSTREAM: true });
        const id = await client.xAdd(name, "*", { body: '"left"' });
        await client.xReadGroup("workers", "dead", { key: name, id: ">" });
        await client.xClaimJustId(name, "workers", "dead", 0, id, { IDLE: 10_000 });
      },
    },
  );
}

/** Which stream has the dead letter. */
function deadLetters(attribute: string): Promise<unknown> {
  const reply = () => {
    throw new Error("always");
  };
  return withConnector(
    `queue { name = env("NAME") }
     consumer {
       dlq {
         max_retries = 0
         ${attribute}
       }
     }`,
    async ({ request }, { client, name }) => {
      await request("POST /events", "poison");
      const names = [`${name}.dead`, `${name}.dlq`];
      let found: readonly string[] = [];
      await until("the dead letter", async () => {
        const lengths = await Promise.all(names.map((name) => client.xLen(name)));
        found = names.filter((_, at) => lengths[at] === 1);
        return found.length > 0;
      });
      return found.map((stream) => stream.replace(name, "NAME"));
    },
    { flows: CONSUMES, reply },
  );
}

/** Where something is that was published: who listens to the channel, and how long the stream is. */
function published(publisher: string): Promise<unknown> {
  return withConnector(
    publisher === "" ? "" : `publisher {\n${publisher}\n}`,
    ({ request }, { client, name }) =>
      withRedis(SHARED, async (listener) => {
        const heard: string[] = [];
        await listener.subscribe(name, (body) => heard.push(body));
        await request("POST /events", 1);
        // The server answers after what it has sent before.
        await listener.ping();
        return { heard, stream: await client.xLen(name) };
      }),
  );
}

/** Whether a stream of 250 entries has lost some of them after a publish. */
function trimmed(attribute: string): Promise<unknown> {
  return withConnector(
    `publisher {\nmode = "stream"\n${attribute}\n}`,
    async ({ request }, { client, name }) => {
      await request("POST /events", 1);
      return await client.xLen(name) < 251 ? "trimmed" : "whole";
    },
    {
      before: ({ client, name }) =>
        Promise.all(Array.from({ length: 250 }, () => client.xAdd(name, "*", { body: "0" }))),
    },
  );
}

/** Each of them, with a scenario that it changes. */
export const redisRows: readonly Row[] = [
  {
    attribute: "connector websocket/backplane",
    text: 'backplane = "bus"',
    observe: heardOfTheOther,
    without: { recipients: 0, heard: "nothing" },
    with: { recipients: 1, heard: { type: "message", data: 7, room: "r" } },
  },
  {
    attribute: "connector mq/sentinel",
    text: 'sentinel = "main"',
    observe: started,
    without: "connected",
    // What is asked there for the server is no Sentinel.
    with: "the Sentinel 127.0.0.1:6379: ERR unknown command",
  },
  {
    attribute: "connector mq/consumer/claim_after",
    text: 'claim_after = "5s"',
    observe: claimed,
    without: ["new"],
    with: ["left", "new"],
  },
  {
    attribute: "connector mq/consumer/dlq/stream",
    text: 'stream = "${env("NAME")}.dead"',
    observe: deadLetters,
    without: ["NAME.dlq"],
    with: ["NAME.dead"],
  },
  {
    attribute: "connector mq/publisher/mode",
    text: 'mode = "stream"',
    observe: published,
    without: { heard: ["1"], stream: 0 },
    with: { heard: [], stream: 1 },
  },
  {
    attribute: "connector mq/publisher/max_length",
    text: "max_length = 1",
    observe: trimmed,
    without: "whole",
    with: "trimmed",
  },
];
