/** MQTT in the tests of faults: QoS 1, with a session that the broker keeps and a group shares. */
import { Buffer } from "node:buffer";
import mqtt, { type IClientOptions, type MqttClient, type OnMessageCallback } from "mqtt";
import type { MosquittoServer } from "../../support/mosquitto.ts";
import { type OwnServer, PASSWORD } from "../../support/own-server.ts";
import { type ConnectorOptions, consumerOf, type Kind, type Letter, type Peer } from "./kind.ts";
import { mosquitto, MOST } from "./servers.ts";

/** Milliseconds before a client of a test gives up. */
const PATIENCE = 2_000;

function kindOf(
  { title, name, operation }: Pick<Kind, "title" | "name" | "operation">,
): Kind {
  return {
    title,
    name,
    server: mosquitto,
    keeps: true,
    deadLetters: true,
    key: (id, word) => `${id}/${word}`,
    ...(operation !== undefined && { operation }),
    connector: ({ id, port, ...consuming }: ConnectorOptions) => `
      connector "${name}" {
        type       = "mqtt"
        url        = "mqtt://127.0.0.1:${port}"
        client_id  = "${id}"
        username   = "weir"
        password   = ${JSON.stringify(PASSWORD)}
        clean      = false
        keep_alive = "2s"
        ${consumerOf(consuming, `topic = "${id}/dlq"`)}
      }
    `,
    async connect(server, id) {
      const collector = await collect(server, id);
      return new MqttPeer(await connect(server, {}), collector, id);
    },
    removals: {},
    refusals: [
      { what: "no permission", key: (id) => `forbidden/${id}`, reason: /uthorized/ },
      {
        what: "a packet over the server's maximum",
        payload: { text: "x".repeat(MOST) },
        reason: /it has \d+ bytes, and the broker takes 8192 at most/,
      },
    ],
    settle: (found) => (found as MosquittoServer).save(),
  };
}

/** A subscription of one instance. */
export const session: Kind = kindOf({ title: "MQTT", name: "mqtt" });

/** One that instances share. */
export const shared: Kind = {
  ...kindOf({
    title: "MQTT's shared subscriptions",
    name: "shared",
    operation: (id, word) => `$share/${id}/${id}/${word}`,
  }),
  // Mosquitto 2.0 keeps the session, but not that the subscription is shared: what comes before the
  // client subscribes again goes to nobody.
  forgets: true,
};

/** Connects. What the broker has kept comes at once: `hear` must be there before. */
function connect(
  { port }: OwnServer,
  options: IClientOptions,
  hear: OnMessageCallback = () => {},
): Promise<MqttClient> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    username: "peer",
    password: PASSWORD,
    reconnectPeriod: 0,
    connectTimeout: PATIENCE,
    protocolVersion: 5,
    ...options,
  });
  client.on("message", hear);
  return new Promise((resolve, reject) => {
    client.once("connect", () => resolve(client));
    client.on("error", reject);
    client.once("close", () => reject(new Error("the connection was closed")));
  });
}

/** The dead letters of each id: the broker has them for who subscribes, once. */
const lettersOf = new Map<string, Letter[]>();

/** Collects the dead letters of an id in a session that the broker keeps. */
async function collect(server: OwnServer, id: string): Promise<MqttClient> {
  const letters = lettersOf.get(id) ?? [];
  lettersOf.set(id, letters);
  const options: IClientOptions = {
    clientId: `${id}-letters`,
    clean: false,
    properties: { sessionExpiryInterval: 600 },
  };
  const client = await connect(server, options, (_topic, payload, { properties }) => {
    const headers = Object.entries(properties?.userProperties ?? {});
    letters.push({
      body: readBody(payload.toString()),
      headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    });
  });
  await client.subscribeAsync(`${id}/dlq`, { qos: 1 });
  return client;
}

class MqttPeer implements Peer {
  readonly #client: MqttClient;
  readonly #collector: MqttClient;
  readonly #id: string;

  constructor(client: MqttClient, collector: MqttClient, id: string) {
    this.#client = client;
    this.#collector = collector;
    this.#id = id;
  }

  async publish(key: string, body: unknown): Promise<void> {
    const bytes = Buffer.isBuffer(body) ? body : JSON.stringify(body);
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A publish at a cut never settles.
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no acknowledgment")), PATIENCE);
    });
    try {
      await Promise.race([this.#client.publishAsync(key, bytes, { qos: 1 }), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The broker tells nobody. */
  waiting(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  letters(): Promise<readonly Letter[]> {
    return Promise.resolve(lettersOf.get(this.#id) ?? []);
  }

  close(): Promise<void> {
    for (const client of [this.#client, this.#collector]) client.end(true);
    return Promise.resolve();
  }
}

function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
