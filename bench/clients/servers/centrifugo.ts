/**
 * A stand-in for Centrifugo, on Node: as much of its client protocol, in JSON, as the cases need, with
 * what its documentation says about a namespace that has a history in memory and `force_recovery`.
 *
 * Centrifugo is a program in Go. The package registries of the benchmark do not have it. Against this
 * server the benchmark measures what the client does, and not what Centrifugo does.
 */
import type { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { type WebSocket, WebSocketServer } from "ws";

/** Seconds between pings, and until a pong is late: the defaults of Centrifugo. */
const PING = 25;
const PONG = 8;
/** `history_size`. */
const HISTORY = 1000;

interface Publication {
  readonly data: unknown;
  readonly offset: number;
}

/** The stream of a channel. Its epoch tells a client that the server has begun anew. */
class Channel {
  readonly epoch = randomUUID().slice(0, 4);
  readonly clients = new Set<WebSocket>();
  #history: Publication[] = [];
  #offset = 0;

  publish(channel: string, data: unknown): void {
    const publication = { data, offset: ++this.#offset };
    this.#history = [...this.#history, publication].slice(-HISTORY);
    for (const client of this.clients) {
      send(client, { push: { channel, pub: publication } });
    }
  }

  subscribe(client: WebSocket, wish: Subscribe): unknown {
    this.clients.add(client);
    const position = { recoverable: true, positioned: true, epoch: this.epoch };
    if (!wish.recover) return { ...position, offset: this.#offset };
    const since = wish.offset ?? 0;
    const first = this.#history[0]?.offset ?? this.#offset + 1;
    const recovered = wish.epoch === this.epoch && since + 1 >= first &&
      since <= this.#offset;
    const publications = recovered ? this.#history.filter(({ offset }) => offset > since) : [];
    const offset = recovered ? since : this.#offset;
    return {
      ...position,
      offset,
      was_recovering: true,
      recovered,
      publications,
    };
  }
}

interface Subscribe {
  readonly channel: string;
  readonly recover?: boolean;
  readonly offset?: number;
  readonly epoch?: string;
}

interface Command {
  readonly id?: number;
  readonly connect?: { readonly token?: string };
  readonly subscribe?: Subscribe;
  readonly publish?: { readonly channel: string; readonly data: unknown };
}

const asksForToken = process.argv.includes("token");
const channels = new Map<string, Channel>();
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.env.BENCH_PORT),
  backlog: 4096,
}, () => console.log("ready"));

server.on("connection", (client) => {
  let late: NodeJS.Timeout | undefined;
  const pings = setInterval(() => {
    client.send("{}");
    late = setTimeout(() => client.close(3012, "no pong"), PONG * 1000);
  }, PING * 1000);
  client.on("message", (message: Buffer) => {
    for (const line of message.toString().trim().split("\n")) {
      if (line === "{}") clearTimeout(late);
      else serve(client, JSON.parse(line));
    }
  });
  client.on("close", () => {
    clearInterval(pings);
    clearTimeout(late);
    for (const { clients } of channels.values()) clients.delete(client);
  });
});

function serve(client: WebSocket, { id, connect, subscribe, publish }: Command): void {
  if (connect !== undefined) {
    if (asksForToken) return client.close(3500, "invalid token");
    send(client, {
      id,
      connect: { client: randomUUID(), version: "0", ping: PING, pong: true },
    });
  } else if (subscribe !== undefined) {
    send(client, {
      id,
      subscribe: channelOf(subscribe.channel).subscribe(client, subscribe),
    });
  } else if (publish !== undefined) {
    channelOf(publish.channel).publish(publish.channel, publish.data);
    send(client, { id, publish: {} });
  }
}

function channelOf(name: string): Channel {
  const found = channels.get(name) ?? new Channel();
  channels.set(name, found);
  return found;
}

function send(client: WebSocket, reply: unknown): void {
  client.send(JSON.stringify(reply));
}

process.on("SIGTERM", () => {
  for (const client of server.clients) client.close(3001, "shutdown");
  server.close(() => process.exit());
});
