/** What the admin port serves: health, metrics and status. */
import { getLogger } from "@logtape/logtape";
import { Hono, type MiddlewareHandler } from "hono";
import { addHealth, addNotFound, type HealthSource } from "../runtime/health.ts";
import type { Site } from "../runtime/site.ts";
import { guardAdmin } from "./admin-access.ts";
import type { StatusReport } from "./status.ts";

/** What the admin port tells. */
export interface AdminSource extends HealthSource {
  /** The body of `/status`. */
  status(): StatusReport;
  /** The body of `/metrics`, in the text format of Prometheus. Absent without metrics. */
  readonly metrics?: (() => Promise<string>) | undefined;
}

/** The content type of the text format of Prometheus. */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** Requests that are answered at the same time; more are refused. */
const MAX_REQUESTS = 64;

/** The HTTP side of the admin port. Every request needs the token, if there is one. */
export function createAdminSite(source: AdminSource, token: string | undefined): Site {
  const app = new Hono();
  app.use(harden);
  app.use(limitRequests());
  app.use(guardAdmin(token));
  addHealth(app, source);
  app.get("/status", (c) => c.json(source.status()));
  const { metrics } = source;
  if (metrics !== undefined) {
    app.get(
      "/metrics",
      async (c) => c.body(await metrics(), 200, { "content-type": METRICS_TYPE }),
    );
  }
  addNotFound(app);
  app.onError((error, c) => {
    getLogger(["weir", "admin"]).error("the admin port cannot answer {path}: {error}", {
      path: c.req.path,
      error,
    });
    return c.json({ error: { code: "failed", message: "the log of the server says why" } }, 500);
  });
  return {
    app,
    fetch(request, env) {
      // Deno passes on whatever target the request had.
      return URL.canParse(request.url)
        ? app.fetch(request, env as Record<string, unknown>)
        : new Response("the request target is not a valid URL\n", { status: 400 });
    },
    endpoint: () => undefined,
    endpoints: [],
    stream: () => undefined,
    streams: [],
  };
}

/**
 * Keeps answers away from caches and from pages of other origins, and ends the connection: clients ask
 * rarely, so an open one only takes a place.
 */
const harden: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("cache-control", "no-store");
  c.header("connection", "close");
  c.header("cross-origin-resource-policy", "same-origin");
  c.header("x-content-type-options", "nosniff");
};

function limitRequests(): MiddlewareHandler {
  let count = 0;
  return async (c, next) => {
    if (count >= MAX_REQUESTS) {
      const error = { code: "unavailable", message: "too many requests at the same time" };
      return c.json({ error }, 503, { "retry-after": "1" });
    }
    count++;
    try {
      await next();
    } finally {
      count--;
    }
  };
}
