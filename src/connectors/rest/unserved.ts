/** Requests that no flow serves: another method, or a path that no connector has. */
import type { Context, MiddlewareHandler } from "hono";
import { isUnserved } from "../../contract/unserved.ts";
import { joinReaders, type Readers, tellReaders } from "./cors.ts";
import { errorResponse } from "./response.ts";

/** What the handlers of one request share, also those of several connectors. */
export interface Env {
  Variables: {
    /** The methods that the path has. */
    "weir.allow"?: readonly string[];
    /** Who may read an answer about the methods of the path. */
    "weir.path_readers"?: readonly Readers[];
    /** Who may read an answer about a path that no connector has. */
    "weir.readers"?: readonly Readers[];
    /** True where a flow's route has answered. */
    "weir.served"?: boolean;
    /** The connector whose headers for pages the answer has already. */
    "weir.told"?: Readers;
  };
}

/**
 * Answers a method that no flow serves: OPTIONS with 204, others with 405. Handlers that are registered
 * later go first: files, another connector, the embedding application.
 */
export function otherMethods(
  methods: readonly string[],
  readers: Readers | undefined,
): MiddlewareHandler<Env> {
  const own = withHead(methods);
  return async (context, next) => {
    context.set("weir.allow", [...context.get("weir.allow") ?? [], ...own]);
    if (readers !== undefined) {
      context.set("weir.path_readers", [...context.get("weir.path_readers") ?? [], readers]);
    }
    await next();
    if (context.res.status !== 404 || context.get("weir.served")) return;
    const allow = [...new Set(context.get("weir.allow")), "OPTIONS"].join(", ");
    context.res = context.req.method === "OPTIONS"
      ? new Response(null, { status: 204, headers: { allow } })
      : errorResponse("method_not_allowed", `this path has ${allow}`, { headers: { allow } });
    await tell(context, context.get("weir.path_readers"));
  };
}

/**
 * Lets pages read that a path does not exist. A preflight request for it succeeds: after a refused one,
 * browsers do not send the request, and the page sees no status.
 */
export function otherPaths(readers: Readers): MiddlewareHandler<Env> {
  return async (context, next) => {
    context.set("weir.readers", [...context.get("weir.readers") ?? [], readers]);
    await next();
    const all = context.get("weir.readers");
    // The embedding application answers for its own paths, and `otherMethods` for those of a connector.
    if (all === undefined || !isUnserved(context) || context.get("weir.allow")) return;
    // Once, by the handler of the last connector.
    context.set("weir.readers", undefined);
    const { req } = context;
    const isPreflight = req.header("access-control-request-method") !== undefined;
    if (req.method !== "OPTIONS" || isPreflight) await tell(context, all);
  };
}

/**
 * Adds the headers for pages to the answers to requests with these methods, and answers the preflight
 * requests that ask for one of them: another connector may have the other methods of a path, for other
 * pages.
 */
export function ownMethods(methods: readonly string[], readers: Readers): MiddlewareHandler<Env> {
  const own = withHead(methods);
  const handler = tellReaders(readers);
  return (context, next) => {
    const { method } = context.req;
    const asked = method === "OPTIONS"
      ? context.req.header("access-control-request-method") ?? method
      : method;
    // Of two paths that a request has, such as `/rooms/:room` and `/rooms/new`, one tells.
    if (!own.includes(asked) || context.get("weir.told") === readers) return next();
    context.set("weir.told", readers);
    return handler(context, next);
  };
}

/** Adds the headers for pages to the answer that a request has got. */
async function tell(context: Context<Env>, readers: readonly Readers[] = []): Promise<void> {
  if (readers.length === 0) return;
  const preflight = await tellReaders(joinReaders(readers))(context, () => Promise.resolve());
  if (preflight instanceof Response) context.res = preflight;
}

/** GET answers HEAD, too. */
function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}
