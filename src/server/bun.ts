/** Listens with `Bun.serve`. */
import {
  type BunServer,
  bunUpgrader,
  type BunWebSocketHandler,
  bunWebSocketHandler,
} from "../transport/bun.ts";
import type { Site } from "../runtime/site.ts";
import { withDescriptorLimit } from "./descriptor-limit.ts";
import { hostOptions } from "./files.ts";
import type { Host } from "./host.ts";
import type { ListenAddress, Listener } from "./listeners.ts";
import type { TlsIdentity } from "./tls.ts";

/** The part of `Bun` that is used here. */
interface BunGlobal {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    readonly reusePort: boolean;
    readonly idleTimeout: number;
    /** In bytes; Bun answers a larger one itself. 128 MB by default. */
    readonly maxRequestBodySize: number;
    /** Bun supports TLS 1.2 and later. Undefined for no TLS. */
    readonly tls: TlsIdentity | undefined;
    readonly websocket: BunWebSocketHandler;
    fetch(request: Request, server: BunServer): Response | Promise<Response>;
  }): BunServer & { readonly port: number; stop(force?: boolean): Promise<void> };
}

/** A connection that is silent for this time before its request is complete is closed; in seconds. */
const IDLE_TIMEOUT = 10;

/** The host of Bun. */
export const bunHost: Host = {
  options: { ...hostOptions, upgrader: bunUpgrader },
  listen: withDescriptorLimit(listenBun),
};

/** Opens a port on Bun's own server. */
export function listenBun(site: Site, address: ListenAddress): Promise<Listener> {
  const { host, port, tls, shared } = address;
  const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };
  const server = Bun.serve({
    hostname: host,
    port,
    reusePort: shared,
    tls,
    idleTimeout: IDLE_TIMEOUT,
    // Connectors have limits of their own, and their answers have a body and headers for pages.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    websocket: bunWebSocketHandler(site.endpoints),
    fetch(request, self) {
      if (isAmbiguous(request.headers)) return refusal();
      const answer = site.fetch(request, self);
      if (!(answer instanceof Promise)) return answer;
      // The timeout is for slow requests, not for slow responses. The next request gets it again.
      self.timeout(request, 0);
      let timeout = IDLE_TIMEOUT;
      return answer.then((response) => {
        if (isStream(response)) timeout = 0;
        return closing(response);
      }).finally(() => self.timeout(request, timeout));
    },
  });
  return Promise.resolve({
    port: server.port,
    stop: () => server.stop(),
    close: () => server.stop(true),
  });
}

/**
 * Whether a header came twice, which Bun joins: two equal lengths would pass, and only the first host
 * be used. RFC 9112 refuses both (sections 3.2 and 6.3).
 */
function isAmbiguous(headers: Headers): boolean {
  return headers.get("host")?.includes(",") === true ||
    headers.get("content-length")?.includes(",") === true;
}

function refusal(): Response {
  return new Response("the request has two Host or two Content-Length headers\n", {
    status: 400,
    headers: { "connection": "close", "content-type": "text/plain; charset=utf-8" },
  });
}

/**
 * Closes the connection after a 413, since Bun would read the rest of the body, however long it is,
 * and after a stream, since the connection has no timeout.
 */
function closing(response: Response): Response {
  if (response.status === 413 || isStream(response)) response.headers.set("connection", "close");
  return response;
}

function isStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true;
}
