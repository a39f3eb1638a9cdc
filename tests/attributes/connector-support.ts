/** A server of the runtime that runs the tests, and clients that reach it over the network. */
import { type AddressInfo, connect, createServer } from "node:net";
import type { Runtime } from "../../src/runtime/mod.ts";
import { type ClientOptions, handshakeText, SocketClient } from "../support/socket-client.ts";
import { hosts } from "../support/socket-hosts.ts";
import { Probe } from "../support/socket-probe.ts";
import { StreamClient } from "../support/stream-client.ts";
import type { Row } from "./row.ts";

/** A configuration at work behind a port of its own. */
export interface Server {
  readonly port: number;
  /** Undefined for a configuration without an admin port. */
  readonly adminPort: number | undefined;
  readonly runtime: Runtime;
  /** What flows deliver to connectors of the type `probe`. */
  readonly probe: Probe;
  /** A client on a path. */
  connect(target?: string, options?: ClientOptions): Promise<SocketClient>;
  /** The status of a handshake; the connection stays open. */
  handshake(target: string): Promise<number>;
  /** The status of a request for a stream of events; the connection stays open. */
  stream(target: string): Promise<number>;
  /** Sends an HTTP request. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** Serves a configuration, as the runtime's own `serve` does, while `look` works. */
export async function withServer<T>(
  config: string,
  look: (server: Server) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const probe = new Probe();
  const clients: (SocketClient | StreamClient)[] = [];
  // The first host is `serve`; the others are embedded.
  const { port, adminPort, runtime, close } = await hosts[0].start(config, {
    connectors: probe.connectors,
    env: (name) => env[name],
  });
  const open = async (target: string, options?: ClientOptions): Promise<SocketClient> => {
    const client = await SocketClient.connect(port, options);
    clients.push(client);
    client.write(handshakeText(target));
    return client;
  };
  try {
    return await look({
      port,
      adminPort,
      runtime,
      probe,
      async connect(target = "/ws", options = {}) {
        const client = await open(target, options);
        await client.upgraded();
        return client;
      },
      handshake: async (target) => (await (await open(target)).head()).status,
      async stream(target) {
        const client = await StreamClient.send(port, target);
        clients.push(client);
        return (await client.head()).status;
      },
      fetch: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init),
    });
  } finally {
    probe.releaseAll();
    for (const client of clients) client.destroy();
    await close();
  }
}

/** Where a connector of this type listens: the rows of its `port` and its `host`. */
export function listenerRows(type: string): readonly Row[] {
  const config = (body: string) => `connector "c" {\n  type = "${type}"\n${body}\n}\n`;
  return [
    {
      attribute: `connector ${type}/port`,
      text: 'port = env("PORT")',
      async observe(text) {
        const port = await freePort();
        return await withServer(config(text), () => accepts("127.0.0.1", port), {
          PORT: `${port}`,
        });
      },
      without: ["missing-attribute"],
      with: true,
    },
    {
      attribute: `connector ${type}/host`,
      text: 'host = "::1"',
      observe: (text) =>
        withServer(config(`port = 0\n${text}`), async ({ port }) => ({
          "127.0.0.1": await accepts("127.0.0.1", port),
          "::1": await accepts("::1", port),
        })),
      without: { "127.0.0.1": true, "::1": false },
      with: { "127.0.0.1": false, "::1": true },
    },
  ];
}

/** Whether something takes connections there. */
function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** A port that nothing listens on at the moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
