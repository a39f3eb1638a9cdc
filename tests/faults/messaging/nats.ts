/** NATS in the tests of faults: subjects, and JetStream. */
import { Buffer } from "node:buffer";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type OwnServer, PASSWORD } from "../../support/own-server.ts";
import {
  type ConnectorOptions,
  consumerOf,
  type Kind,
  type Letter,
  type Peer,
  type Refusal,
} from "./kind.ts";
import { MOST, nats } from "./servers.ts";

const QUOTED = JSON.stringify(PASSWORD);

async function login({ port }: OwnServer, user: string): Promise<NatsConnection> {
  const servers = `127.0.0.1:${port}`;
  return await connect({ servers, user, pass: PASSWORD, reconnect: false, timeout: 2_000 });
}

/** Ends the connections of a user, which a server of NATS does for its system's account. */
async function disconnect(found: OwnServer): Promise<void> {
  const admin = await login(found, "admin");
  try {
    const options = JSON.stringify({ auth: true, user: "weir" });
    const answer = (await admin.request("$SYS.REQ.SERVER.PING.CONNZ", options)).json();
    const { server: { id }, data: { connections } } = answer as ConnectionList;
    for (const { cid } of connections) {
      await admin.request(`$SYS.REQ.SERVER.${id}.KICK`, JSON.stringify({ cid }));
    }
  } finally {
    await admin.close();
  }
}

interface ConnectionList {
  readonly server: { readonly id: string };
  readonly data: { readonly connections: readonly { readonly cid: number }[] };
}

function bytesOf(body: unknown): Uint8Array {
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
}

const tooLarge: Refusal = {
  what: "more than max_payload",
  payload: { text: "x".repeat(MOST) },
  reason: /more than the \d+ bytes that the broker takes/,
};

const forbidden: Refusal = {
  what: "no permission",
  key: (id) => `forbidden.${id}`,
  reason: /ermission/,
};

function connectorOf(name: string, port: number, blocks: string): string {
  return `
    connector "${name}" {
      type     = "mq"
      driver   = "nats"
      url      = "nats://127.0.0.1:${port}"
      user     = "weir"
      password = ${QUOTED}
      ${blocks}
    }
  `;
}

export const subjects: Kind = {
  title: "NATS subjects",
  name: "subjects",
  server: nats,
  keeps: false,
  deadLetters: false,
  key: (id, word) => `${id}.${word}`,
  connector: ({ port }) => connectorOf("subjects", port, ""),
  async connect(found) {
    const client = await login(found, "peer");
    return {
      async publish(key, body) {
        client.publish(key, bytesOf(body));
        await client.flush();
      },
      waiting: () => Promise.resolve(0),
      letters: () => Promise.resolve([]),
      close: () => client.close(),
    };
  },
  disconnect,
  removals: {},
  refusals: [tooLarge, forbidden],
};

export const jetStream: Kind = {
  title: "JetStream",
  name: "jetstream",
  server: nats,
  keeps: true,
  deadLetters: true,
  key: (id, word) => `${id}.${word}`,
  connector: ({ id, port, ...consuming }: ConnectorOptions) =>
    connectorOf(
      "jetstream",
      port,
      `stream {
         name     = "${id}"
         subjects = ["${id}.>"]
       }
       queue {
         name = "${id}"
       }
       ${consumerOf(consuming, `subject = "${id}-dead"`)}`,
    ),
  async connect(found, id) {
    return new JetStreamPeer(await login(found, "peer"), id);
  },
  disconnect,
  removals: {
    async "a consumer"(found, id) {
      await withManager(found, (manager) => manager.consumers.delete(id, id));
    },
    async "a stream"(found, id) {
      await withManager(found, (manager) => manager.streams.delete(id));
    },
  },
  refusals: [
    { what: "no stream", key: (id) => `${id}-nowhere.a`, reason: /no stream|503|responders/i },
    tooLarge,
    forbidden,
  ],
};

async function withManager(
  found: OwnServer,
  act: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<unknown>,
): Promise<void> {
  const client = await login(found, "peer");
  try {
    await act(await jetstreamManager(client));
  } finally {
    await client.close();
  }
}

class JetStreamPeer implements Peer {
  readonly #client: NatsConnection;
  readonly #id: string;

  constructor(client: NatsConnection, id: string) {
    this.#client = client;
    this.#id = id;
  }

  async publish(key: string, body: unknown): Promise<void> {
    await jetstream(this.#client).publish(key, bytesOf(body), { timeout: 2_000 });
  }

  async waiting(): Promise<number> {
    const manager = await jetstreamManager(this.#client);
    const info = await manager.consumers.info(this.#id, this.#id);
    return info.num_pending + info.num_ack_pending;
  }

  async letters(): Promise<readonly Letter[]> {
    const manager = await jetstreamManager(this.#client);
    const stream = `${this.#id}_DLQ`;
    const { state } = await manager.streams.info(stream);
    const letters: Letter[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(stream, { seq });
      if (message === null) continue;
      const headers = [...message.header].map(([name, [value]]) => [name, value]);
      letters.push({ body: readBody(message.string()), headers: Object.fromEntries(headers) });
    }
    return letters;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
