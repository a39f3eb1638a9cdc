/** Registers one case of the socket contract for every host of the runtime that runs the tests. */
import { test } from "node:test";
import type { Runtime, RuntimeOptions } from "../../src/runtime/mod.ts";
import {
  type ClientOptions,
  type HandshakeOptions,
  handshakeText,
  type Response,
  SocketClient,
} from "./socket-client.ts";
import { population } from "./population.ts";
import { type Host, hosts, type RunningHost } from "./socket-hosts.ts";
import { Probe, until } from "./socket-probe.ts";
import { StreamClient, type StreamOptions } from "./stream-client.ts";

/** What a case works with. */
export interface Contract {
  readonly host: Host;
  readonly running: RunningHost;
  readonly runtime: Runtime;
  readonly probe: Probe;
  /** A client that has said nothing yet. */
  raw(options?: ClientOptions): Promise<SocketClient>;
  /** A client on the path `/ws`, or on another one with its query. */
  connect(target?: string, options?: ClientOptions & HandshakeOptions): Promise<SocketClient>;
  /** The stream of a client on the path `/events`, or on another one; any answer to its request. */
  stream(target?: string, options?: StreamOptions): Promise<StreamClient>;
  /** All clients leave. */
  destroyAll(): void;
  /** The answer to a request on a connection of its own. `target` is below the mount. */
  request(target: string, options?: HandshakeOptions): Promise<Response>;
}

/** A connector "ws" with more attributes, and the connector "probe". */
export function websocket(attributes = ""): string {
  return `
    connector "ws" {
      type = "websocket"
      port = 0
      ${attributes}
    }
    connector "probe" {
      type = "probe"
    }
  `;
}

/** Frames of the type "echo" are answered with their data, those of "probe" go to the probe. */
export const flows = `
  flow "echo" {
    from {
      connector = "ws"
      operation = "echo"
    }
    response {
      data = "input.data"
    }
  }
  flow "probe" {
    from {
      connector = "ws"
      operation = "probe"
    }
    to {
      connector = "probe"
    }
  }
  flow "ended" {
    from {
      connector = "ws"
      operation = "disconnect"
    }
    to {
      connector = "probe"
      target    = "ended"
    }
  }
`;

/**
 * Registers a case as one test for each host. Each has a fresh configuration. The hosts run side by
 * side, since most cases wait most of the time. Afterwards all clients leave, and nothing of them may
 * stay: no connection, no room, no user.
 */
export function contract(
  name: string,
  config: string,
  run: (context: Contract) => Promise<void>,
  options: Pick<RuntimeOptions, "metrics"> = {},
): void {
  testHosts(hosts, name, (host) => runOn(host, config, run, options));
}

/**
 * Registers one test for each host. The first one starts all of them: they run side by side, since
 * most of the time they wait.
 */
export function testHosts(
  hosts: readonly Host[],
  name: string,
  run: (host: Host) => Promise<void>,
): void {
  let started: ReadonlyMap<Host, Promise<void>> | undefined;
  for (const host of hosts) {
    test(`${host.name}: ${name}`, async () => {
      started ??= new Map(hosts.map((each) => [each, run(each)]));
      // Each result is for the test of its host, which may await it only after it has failed.
      for (const result of started.values()) result.catch(() => {});
      await started.get(host);
    });
  }
}

async function runOn(
  host: Host,
  config: string,
  run: (context: Contract) => Promise<void>,
  options: Pick<RuntimeOptions, "metrics">,
): Promise<void> {
  const probe = new Probe();
  const running = await host.start(config, { ...options, connectors: probe.connectors });
  const clients: (SocketClient | StreamClient)[] = [];
  try {
    await run(contextOf(host, running, probe, clients));
    probe.releaseAll();
    for (const client of clients) client.destroy();
    await until("an empty hub", () => {
      const connectors = Object.entries(running.runtime.counts());
      return connectors.every(([name, numbers]) =>
        !("connections" in numbers) ||
        Object.values(population(running.runtime, name)).every((number) => number === 0)
      );
    });
  } finally {
    probe.releaseAll();
    for (const client of clients) client.destroy();
    await running.close();
  }
}

/** The close code that a client sees: sockets that lack free codes send those from 4000 on. */
export function closeCode({ features }: Host, code: number): number {
  return features.closeCodes ? code : code + 3000;
}

function contextOf(
  host: Host,
  running: RunningHost,
  probe: Probe,
  clients: (SocketClient | StreamClient)[],
): Contract {
  const raw = async (options?: ClientOptions): Promise<SocketClient> => {
    const client = await SocketClient.connect(running.port, options);
    clients.push(client);
    return client;
  };
  return {
    host,
    running,
    runtime: running.runtime,
    probe,
    raw,
    async connect(target = "/ws", options = {}) {
      const client = await raw(options);
      client.write(handshakeText(host.mount + target, options));
      await client.upgraded();
      return client;
    },
    async stream(target = "/events", options) {
      const client = await StreamClient.send(running.port, host.mount + target, options);
      clients.push(client);
      return await client.head();
    },
    destroyAll() {
      for (const client of clients) client.destroy();
    },
    async request(target, options) {
      const client = await raw();
      client.write(handshakeText(host.mount + target, options));
      const response = await client.response();
      client.destroy();
      return response;
    },
  };
}
