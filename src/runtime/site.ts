/** What one listener, or one embedding application, serves over HTTP. */
import { Hono, type MiddlewareHandler } from "hono";
import type { HttpService } from "../contract/connector.ts";
import { remoteAddressOf } from "../transport/address.ts";
import type { StreamEndpoint } from "../transport/event-stream.ts";
import { checkHandshake, ReceivedHandshake, type Upgrader } from "../transport/handshake.ts";
import type { Handshake, HandshakeRefusal, SocketEndpoint } from "../transport/socket.ts";
import { addHealth, addNotFound, type HealthSource } from "./health.ts";
import { Streams } from "./streams.ts";

/** The parts of a site. */
export interface SiteOptions {
  readonly services: readonly HttpService[];
  /** Undefined if sockets are upgraded elsewhere, as by Node's `upgrade` event. */
  readonly upgrader: Upgrader | undefined;
  /** Serves a service's folder of files; undefined when embedded. */
  readonly serveFiles?: (root: string) => MiddlewareHandler;
  /** Undefined if the health checks are on the admin port. */
  readonly health: HealthSource | undefined;
}

/** The HTTP side of a runtime. */
export interface Site {
  /** To mount in an existing Hono application. */
  readonly app: Hono;
  /** Responds to a request. Synchronous if possible, since an upgrade on Bun must not wait. */
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
  /** The WebSocket endpoint at a path, which is compared literally. */
  endpoint(pathname: string): SocketEndpoint | undefined;
  /** All WebSocket endpoints. */
  readonly endpoints: readonly SocketEndpoint[];
  /** The endpoint of streams at a path, which is compared literally. */
  stream(pathname: string): StreamEndpoint | undefined;
  /** All endpoints of streams. */
  readonly streams: readonly StreamEndpoint[];
}

/** Routes to the paths of WebSockets and streams first, then to routes of services, health, files, and 404 last. */
export function createSite(options: SiteOptions): Site {
  const { services, upgrader, serveFiles, health } = options;
  const endpoints = services.flatMap((service) => service.socket ?? []);
  const byPath = new Map(endpoints.map((endpoint) => [endpoint.path, endpoint]));
  const streamsByPath = new Map(
    services.flatMap(({ stream }) => stream === undefined ? [] : [[stream.path, stream] as const]),
  );
  const streams = new Streams(upgrader);
  const locations = new Locations();
  const app = new Hono();

  for (const endpoint of endpoints) {
    app.all(endpoint.path, (c, next) => {
      // Hono decodes a path before it compares it; WebSocket paths are compared literally.
      if (!new URL(c.req.url).pathname.endsWith(endpoint.path)) return next();
      return handshake(c.req.raw, c.req.url, c.env, endpoint, upgrader);
    });
  }
  for (const [path, endpoint] of streamsByPath) {
    app.all(path, (c, next) => {
      if (!new URL(c.req.url).pathname.endsWith(path)) return next();
      const { raw, url } = c.req;
      return streams.answer(endpoint, raw, c.env, receive(raw, url, c.env, upgrader));
    });
  }
  for (const service of services) service.routes?.(app);
  if (health !== undefined) addHealth(app, health);
  // An application that mounts this one has its own handler.
  addNotFound(app);
  for (const { files } of services) {
    if (files !== undefined && serveFiles !== undefined) app.use(serveFiles(files));
  }

  return {
    app,
    endpoints,
    endpoint: (pathname) => byPath.get(pathname),
    stream: (pathname) => streamsByPath.get(pathname),
    streams: [...streamsByPath.values()],
    fetch(request, env) {
      // Deno passes on whatever target the request had.
      const { path, url } = locations.of(request.url);
      if (path === undefined) {
        return new Response("the request target is not a valid URL\n", { status: 400 });
      }
      const endpoint = byPath.get(path);
      if (endpoint !== undefined) return handshake(request, url, env, endpoint, upgrader);
      const stream = streamsByPath.get(path);
      return stream === undefined
        ? app.fetch(request, env as Record<string, unknown>)
        : streams.answer(stream, request, env, receive(request, url, env, upgrader));
    },
  };
}

function receive(
  request: Request,
  url: string,
  env: unknown,
  upgrader: Upgrader | undefined,
): ReceivedHandshake {
  return new ReceivedHandshake(
    request.method,
    url,
    upgrader?.headers?.(request) ?? Object.fromEntries(request.headers),
    upgrader === undefined ? remoteAddressOf(request, env) : upgrader.remoteAddress(request, env),
    parseUrl,
  );
}

function handshake(
  request: Request,
  url: string,
  env: unknown,
  endpoint: SocketEndpoint,
  upgrader: Upgrader | undefined,
): Response | Promise<Response> {
  const received = receive(request, url, env, upgrader);
  if (upgrader === undefined) {
    const checked = checkHandshake(received.method, received.headers);
    if (!checked.accepted) return refusalResponse(checked);
    return new Response("WebSocket upgrades are not available here\n", { status: 501 });
  }
  const respond = (decision: Handshake): Response => {
    if (!decision.accepted) return refusalResponse(decision);
    try {
      return upgrader.upgrade(request, env, endpoint, decision, received);
    } catch (error) {
      decision.session.abandon();
      throw error;
    }
  };
  const decision = endpoint.accept(received);
  if (!(decision instanceof Promise)) return respond(decision);
  // Read before the wait: Deno would upgrade a request whose client has left, and wait forever.
  const { signal } = request;
  return decision.then((made) => {
    if (!signal.aborted || !made.accepted) return respond(made);
    made.session.abandon();
    return new Response(null, { status: 499 });
  });
}

function refusalResponse({ status, message, headers }: HandshakeRefusal): Response {
  return new Response(`${message}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

function parseUrl(url: string): URL {
  return new URL(url);
}

/** A parsed URL. */
export interface Location {
  /** The URL. Requests without a query share one string. */
  readonly url: string;
  /** Normalised as `URL` does; undefined if the URL is invalid. */
  readonly path: string | undefined;
}

/** The number of URLs that are remembered, and their length. */
const MAX_KNOWN = 256;
const MAX_LENGTH = 256;

/** Parses URLs and remembers the results. Queries are left out, since they do not affect the path. */
export class Locations {
  readonly #known = new Map<string, Location>();

  /** The location of a URL. */
  of(url: string): Location {
    const query = url.indexOf("?");
    const location = this.#find(query < 0 ? url : url.slice(0, query));
    return query < 0 ? location : { url, path: location.path };
  }

  #find(url: string): Location {
    const known = this.#known.get(url);
    if (known !== undefined) return known;
    const location = { url, path: URL.parse(url)?.pathname };
    if (url.length > MAX_LENGTH) return location;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(url, location);
    return location;
  }
}
