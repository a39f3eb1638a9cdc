/**
 * Serves the client library to pages, as one minified module. Loaded where a connector has `client`.
 * `deno task client` makes `script.ts` from `src/client/`.
 */
import { namesTag } from "../../../base/entity-tag.ts";
import type { HonoApp } from "../../../contract/connector.ts";
import { SCRIPT, TAG } from "./script.ts";

const HEADERS = {
  "content-type": "text/javascript; charset=utf-8",
  // Caches ask whether it has changed: it must fit the server.
  "cache-control": "no-cache",
  "etag": TAG,
  // A page of another origin may import it, too. It is the same for everybody.
  "access-control-allow-origin": "*",
  "x-content-type-options": "nosniff",
};

/** Adds the route of the library to an application. */
export function serveLibrary(path: string): (app: HonoApp) => void {
  return (app) => {
    app.get(
      path,
      ({ req }) =>
        namesTag(req.header("if-none-match"), TAG)
          ? new Response(null, { status: 304, headers: HEADERS })
          : new Response(SCRIPT, { headers: HEADERS }),
    );
  };
}
