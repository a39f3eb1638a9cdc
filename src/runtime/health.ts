/** The health checks, which are on every HTTP port or on the admin port. */
import type { Hono } from "hono";
import { markUnserved } from "../contract/unserved.ts";

/** The service's name and version, in the body of `/health/live`. */
export interface ServiceIdentity {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/** What the health checks tell. */
export interface HealthSource {
  /** Without name and version by default. */
  readonly identity?: ServiceIdentity | undefined;
  /** The connectors that cannot serve now, by name, each with the reason. */
  health(): Readonly<Record<string, string>>;
  /** Whether clients can be served, whatever connectors are away. Always by default. */
  serving?(): boolean;
}

/** Adds the health checks to an application. */
export function addHealth(app: Hono, source: HealthSource): void {
  app.get("/health/live", (c) => c.json({ status: "ok", ...source.identity }));
  app.get("/health/ready", (c) => {
    // The names only: the reasons contain hosts and files, and are in the log.
    const connectors = Object.keys(source.health());
    return connectors.length === 0
      ? c.json({ status: "ok" })
      : c.json({ status: "unavailable", connectors }, 503);
  });
  // For load balancers, which must not be emptied when a broker is away for a moment.
  app.get("/health/serving", (c) => {
    const serving = source.serving?.() ?? true;
    return serving ? c.json({ status: "ok" }) : c.json({ status: "unavailable" }, 503);
  });
}

/** Answers every other path in the format of a REST error. */
export function addNotFound(app: Hono): void {
  app.notFound((c) => {
    markUnserved(c);
    return c.json({ error: { code: "not_found", message: "not found" } }, 404);
  });
}
