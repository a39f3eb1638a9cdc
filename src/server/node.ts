/** Listens with `node:http`, on Node and on Deno. */
import { getRequestListener } from "@hono/node-server";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { NodeStreams } from "../transport/node-stream.ts";
import { requestPath, upgradeSockets } from "../transport/node-upgrade.ts";
import type { Site } from "../runtime/site.ts";
import { hostOptions } from "./files.ts";
import type { Host } from "./host.ts";
import type { ListenAddress, Listener } from "./listeners.ts";
import { Pipelining } from "./pipelining.ts";

/** A request's head must be complete within this time, in milliseconds. */
const HEADERS_TIMEOUT = 10_000;
/** How often this is checked; with the default of 30 s, a silent client would stay that long. */
const CHECK_INTERVAL = 1_000;

/** The host of Node. */
export const nodeHost: Host = { options: hostOptions, listen: listenNode };

/** Opens a port whose WebSockets are those of `ws`. TLS is 1.2 or later. */
export async function listenNode(
  site: Site,
  address: ListenAddress,
  connected?: () => void,
): Promise<Listener> {
  const isSocketPath = (request: IncomingMessage): boolean => {
    const path = requestPath(request);
    return path !== undefined && site.endpoint(path) !== undefined;
  };
  // The types do not have the newest option of Node yet.
  const options: ServerOptions & { shouldUpgradeCallback(request: IncomingMessage): boolean } = {
    headersTimeout: HEADERS_TIMEOUT,
    connectionsCheckingInterval: CHECK_INTERVAL,
    // A request to upgrade to something else, such as h2c, is an ordinary request.
    shouldUpgradeCallback: (request) => isSocketPath(request) && !namesTwoHosts(request),
  };
  const { tls } = address;
  const server: Server = tls === undefined ? createServer(options) : createSecureServer({
    ...options,
    ...tls,
    minVersion: "TLSv1.2",
    handshakeTimeout: HEADERS_TIMEOUT,
  });
  if (address.maxConnections !== undefined) server.maxConnections = address.maxConnections;
  const pipelining = new Pipelining(server, tls === undefined ? "connection" : "secureConnection");
  const streams = site.streams.length === 0 ? undefined : await nodeStreams(site);
  const answer = getRequestListener(site.fetch, { overrideGlobalObjects: false });
  server.on("request", (request, response) => {
    pipelining.begin(response);
    if (namesTwoHosts(request)) return refuse(response);
    const stream = streams?.find(request);
    if (stream === undefined) return void answer(request, response);
    pipelining.exempt(response);
    streams?.answer(stream, request, response);
  });
  upgradeSockets(server, site.endpoint);
  // The server waits for the end of upgraded sockets, but does not keep them.
  const sockets = new Set<Socket>();
  const forget = function (this: Socket): void {
    sockets.delete(this);
  };
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", forget);
    connected?.();
  });
  await opened(server, address);
  const { port } = server.address() as AddressInfo;
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  return {
    port,
    stop() {
      server.close();
      return closed;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

async function nodeStreams(site: Site): Promise<NodeStreams> {
  const { NodeStreams } = await import("../transport/node-stream.ts");
  return new NodeStreams(site.stream);
}

/** RFC 9112, section 3.2, refuses such a request. `node:http` keeps only the first host. */
function namesTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count > 1;
}

function refuse(response: ServerResponse): void {
  response.writeHead(400, { "connection": "close", "content-type": "text/plain; charset=utf-8" });
  response.end("the request has two Host headers\n");
}

function opened(server: Server, { host, port, shared }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, reusePort: shared }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
