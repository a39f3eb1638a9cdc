/** Everything that one listener, or one embedding application, serves over HTTP. */
import { Hono, type MiddlewareHandler } from "hono";
import type { HttpService } from "../contract/connector.ts";
import { checkHandshake, ReceivedHandshake } from "../transport/handshake.ts";
import { Locations } from "./locations.ts";
import type { Handshake, HandshakeRefusal, SocketEndpoint } from "../transport/socket.ts";
import type { Upgrader } from "../transport/handshake.ts";

/** The body of `/health/live`, beside its status. */
export interface Identity {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/** What a site is made of. */
export interface SiteOptions {
  readonly services: readonly HttpService[];
  /** Undefined where sockets come another way, as with Node's `upgrade` event. */
  readonly upgrader: Upgrader | undefined;
  /** Serves a service's folder of files; undefined when embedded. */
  readonly serveFiles?: (root: string) => MiddlewareHandler;
  /** Nobody in particular by default. */
  readonly identity?: Identity;
  /** Why which connector cannot serve at the moment. */
  health(): Readonly<Record<string, string>>;
}

/** The HTTP side of a runtime. */
export interface Site {
  /** To mount in an existing Hono application. */
  readonly app: Hono;
  /** Answers a request. Stays synchronous where it can: an upgrade on Bun must not wait. */
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
  /** The WebSocket endpoint at a path, compared literally. */
  endpoint(pathname: string): SocketEndpoint | undefined;
  /** All of them. */
  readonly endpoints: readonly SocketEndpoint[];
}

/** Puts services together: WebSocket paths first, then routes, health, files, and 404 for the rest. */
export function createSite(options: SiteOptions): Site {
  const { services, upgrader, serveFiles, identity, health } = options;
  const endpoints = services.flatMap((service) => service.socket ?? []);
  const byPath = new Map(endpoints.map((endpoint) => [endpoint.path, endpoint]));
  const locations = new Locations();
  const app = new Hono();

  for (const endpoint of endpoints) {
    app.all(endpoint.path, (c, next) => {
      // Hono decodes a path before it compares; the contract compares it as it stands.
      if (!new URL(c.req.url).pathname.endsWith(endpoint.path)) return next();
      return handshake(c.req.raw, c.req.url, c.env, endpoint, upgrader);
    });
  }
  for (const service of services) service.routes?.(app);
  app.get("/health/live", (c) => c.json({ status: "ok", ...identity }));
  app.get("/health/ready", (c) => {
    // Which, but not why: the reasons name hosts and files, and are in the log.
    const connectors = Object.keys(health());
    return connectors.length === 0
      ? c.json({ status: "ok" })
      : c.json({ status: "unavailable", connectors }, 503);
  });
  // As a REST caller expects it; an application that mounts this one answers in its own way.
  app.notFound((c) =>
    c.json({ error: { code: "not_found", message: "there is nothing here" } }, 404)
  );
  for (const { files } of services) {
    if (files !== undefined && serveFiles !== undefined) app.use(serveFiles(files));
  }

  return {
    app,
    endpoints,
    endpoint: (pathname) => byPath.get(pathname),
    fetch(request, env) {
      // Deno hands over whatever stood in the request's first line.
      const { path, url } = locations.of(request.url);
      if (path === undefined) {
        return new Response("the request's target is no URL\n", { status: 400 });
      }
      const endpoint = byPath.get(path);
      if (endpoint === undefined) return app.fetch(request, env as Record<string, unknown>);
      return handshake(request, url, env, endpoint, upgrader);
    },
  };
}

function parseUrl(url: string): URL {
  return new URL(url);
}

/** A refusal as a response. */
function refusalResponse({ status, message, headers }: HandshakeRefusal): Response {
  return new Response(`${message}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

function handshake(
  request: Request,
  url: string,
  env: unknown,
  endpoint: SocketEndpoint,
  upgrader: Upgrader | undefined,
): Response | Promise<Response> {
  const facts = new ReceivedHandshake(
    request.method,
    url,
    upgrader?.headers?.(request) ?? Object.fromEntries(request.headers),
    upgrader?.remoteAddress(request, env) ?? null,
    parseUrl,
  );
  if (upgrader === undefined) {
    const form = checkHandshake(facts.method, facts.headers);
    if (!form.accepted) return refusalResponse(form);
    return new Response("this server upgrades sockets elsewhere\n", { status: 501 });
  }
  const answer = (decision: Handshake): Response => {
    if (!decision.accepted) return refusalResponse(decision);
    try {
      return upgrader.upgrade(request, env, endpoint, decision, facts);
    } catch (error) {
      decision.session.abandon();
      throw error;
    }
  };
  const decision = endpoint.accept(facts);
  if (!(decision instanceof Promise)) return answer(decision);
  // Read now: Deno would upgrade a request whose client has left meanwhile, and wait for it for ever.
  const { signal } = request;
  return decision.then((made) => {
    if (!signal.aborted || !made.accepted) return answer(made);
    made.session.abandon();
    return new Response(null, { status: 499 });
  });
}
