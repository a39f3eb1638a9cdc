/** The attributes of the `mq` connector that act in NATS, shown with real servers. */
import { jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { ConnectorError } from "../../../src/base/errors.ts";
import { until } from "../../support/mq.ts";
import { type NatsLogin, NatsServer, SHARED_NATS } from "../../support/nats.ts";
import { PASSWORD, withServer } from "../../support/own-server.ts";
import { inWorld, REST, type World, type WorldOptions } from "../support.ts";
import type { Row } from "../row.ts";

/** Runs a connector with this body: `POST /events` publishes on the subject `key` of its body. */
function withConnector<T>(
  body: string,
  look: (world: World) => Promise<T>,
  { operation, ...options }: WorldOptions & { readonly operation?: string },
): Promise<T> {
  const consume = `
    connector "a" {
      type = "sink"
    }
    flow "consume" {
      from {
        connector = "events"
        operation = "${operation}"
      }
      to { connector = "a" }
    }
  `;
  const config = `${REST}
    connector "events" {
      type   = "mq"
      driver = "nats"
      url    = env("URL", "${SHARED_NATS}")
      ${body}
    }
    flow "publish" {
      from {
        connector = "api"
        operation = "POST /events"
      }
      to {
        connector = "events"
        target    = "input.key"
      }
    }
    ${operation === undefined ? "" : consume}
  `;
  return inWorld(config, look, options);
}

/** How a start ends at a server that knows its clients in one way. */
function atServer(login: NatsLogin, text: string): Promise<unknown> {
  return withServer(NatsServer.open({ login }), async ({ url, seed, creds }) => {
    const env = { URL: url, PASSWORD, SEED: seed, CREDS: creds };
    try {
      return await withConnector(text, ({ runtime }) => {
        return Promise.resolve(runtime.health().events ?? "connected");
      }, { env });
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      return /it refuses the credentials/.exec(error.message)?.[0] ?? error.message;
    }
  });
}

/** `ID` is a name that nobody else uses. */
const NAME = 'name = "ID"';
const STREAM = `${NAME}\nsubjects = ["ID"]`;

const REFUSED = "it refuses the credentials";

/** What a connector has made of a stream with these attributes, or why it has not. */
async function streamOf(
  attributes: string,
  read: (config: StreamConfig, id: string) => unknown,
): Promise<unknown> {
  const id = `weir-test-${crypto.randomUUID().slice(0, 8)}`;
  const client = await connect({ servers: SHARED_NATS });
  const manager = await jetstreamManager(client);
  const stream = `stream {\n${attributes.replaceAll("ID", id)}\n}`;
  try {
    return await withConnector(stream, async ({ runtime }) => {
      const missing = runtime.health().events;
      if (missing !== undefined) return missing.replaceAll(id, "ID").replace(/^.*JetStream: /, "");
      return read((await manager.streams.info(id)).config, id);
    }, {}).catch((error) => {
      if (!(error instanceof ConnectorError)) throw error;
      return error.message.replaceAll(id, "ID").replace(/^.*4222: /, "");
    });
  } finally {
    await manager.streams.delete(id).catch(() => undefined);
    await client.close();
  }
}

/** On which subject the dead letter of an event comes whose flow fails. */
async function deadLetter(attribute: string): Promise<unknown> {
  const id = `weir-test-${crypto.randomUUID().slice(0, 8)}`;
  const client = await connect({ servers: SHARED_NATS });
  const manager = await jetstreamManager(client);
  const body = `
    stream {
      name     = "${id}"
      subjects = ["${id}"]
    }
    queue {
      name = "${id}"
    }
    consumer {
      dlq {
        max_retries = 0
        ${attribute.replaceAll("ID", id)}
      }
    }
  `;
  const reply = () => {
    throw new Error("always");
  };
  try {
    const found: string[] = [];
    client.subscribe(">", {
      callback(_, { subject }) {
        if (subject.includes(id) && /dlq|dead/.test(subject) && !/^[$_]/.test(subject)) {
          found.push(subject.replaceAll(id, "ID"));
        }
      },
    });
    await client.flush();
    return await withConnector(body, async ({ request }) => {
      await request("POST /events", { key: id });
      await until("the dead letter", () => found.length > 0);
      return found;
    }, { reply, operation: id });
  } finally {
    for (const name of [id, `${id}_DLQ`]) await manager.streams.delete(name).catch(() => undefined);
    await client.close();
  }
}

/** Each of them, with a scenario that it changes. */
export const natsRows: readonly Row[] = [
  {
    attribute: "connector mq/user",
    text: 'user = "weir"\npassword = env("PASSWORD")',
    observe: (text) => atServer("user", text),
    without: REFUSED,
    with: "connected",
  },
  {
    attribute: "connector mq/token",
    text: 'token = env("PASSWORD")',
    observe: (text) => atServer("token", text),
    without: REFUSED,
    with: "connected",
  },
  {
    attribute: "connector mq/nkey",
    text: 'nkey = env("SEED")',
    observe: (text) => atServer("nkey", text),
    without: REFUSED,
    with: "connected",
  },
  {
    attribute: "connector mq/creds",
    text: 'creds = env("CREDS")',
    observe: (text) => atServer("creds", text),
    without: REFUSED,
    with: "connected",
  },
  {
    attribute: "connector mq/stream/name",
    text: NAME,
    observe: (text) => streamOf(`${text}\nsubjects = ["ID"]`, ({ name }, id) => name === id),
    without: ["missing-attribute"],
    with: true,
  },
  {
    attribute: "connector mq/stream/subjects",
    text: 'subjects = ["ID.a", "ID.b.>"]',
    observe: (text) =>
      streamOf(
        `${NAME}\n${text}`,
        ({ name, subjects }) => subjects.map((one) => one.replace(name, "ID")),
      ),
    without: 'the stream "ID" does not exist; write its subjects, and it is made',
    with: ["ID.a", "ID.b.>"],
  },
  {
    // In nanoseconds; ids are not remembered longer than messages.
    attribute: "connector mq/stream/max_age",
    text: 'max_age = "1m"',
    observe: (text) =>
      streamOf(
        `${STREAM}\n${text}`,
        ({ max_age, duplicate_window }) => [max_age, duplicate_window],
      ),
    without: [0, 120e9],
    with: [60e9, 60e9],
  },
  {
    attribute: "connector mq/stream/max_bytes",
    text: 'max_bytes = "2MB"',
    observe: (text) => streamOf(`${STREAM}\n${text}`, ({ max_bytes }) => max_bytes),
    without: -1,
    with: 2 * 1024 * 1024,
  },
  {
    // The server of this machine is alone.
    attribute: "connector mq/stream/replicas",
    text: "replicas = 3",
    observe: (text) => streamOf(`${STREAM}\n${text}`, ({ num_replicas }) => num_replicas),
    without: 1,
    with: "replicas > 1 not supported in non-clustered mode",
  },
  {
    attribute: "connector mq/consumer/dlq/subject",
    text: 'subject = "ID.dead"',
    observe: deadLetter,
    without: ["ID.dlq"],
    with: ["ID.dead"],
  },
];
