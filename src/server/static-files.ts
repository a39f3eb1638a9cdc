/** Serves a folder of files. */
import { serveStatic } from "@hono/node-server/serve-static";
import type { MiddlewareHandler } from "hono";
import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { namesTag } from "../base/entity-tag.ts";

/** The file that is served for a folder. */
const INDEX = "index.html";

/** Matches paths that Hono has decoded. `.well-known` is public. */
const HIDDEN = /\/\.(?!well-known\/)/;

/**
 * Serves the regular files of a folder, except those with a dot at the beginning of a path segment:
 * `.env` and `.git` are not for clients. Symbolic links are followed within the folder. A file is read
 * for each request, and caches must ask whether it has changed.
 */
export function serveFolder(root: string): MiddlewareHandler {
  const serve = serveStatic({ root, index: INDEX });
  return async (c, next) => {
    const { method, path } = c.req;
    const isRead = method === "GET" || method === "HEAD";
    // `serve` takes no path that has a `%` after it was decoded.
    const isServable = isRead && !HIDDEN.test(path) && !path.includes("%");
    const found = isServable ? await findServed(root, path) : undefined;
    if (found === undefined) return await next();
    const tag = tagOf(found);
    // Without it, a browser keeps a file that has not changed for long, and shows the old one.
    c.header("Cache-Control", "no-cache");
    c.header("ETag", tag);
    if (namesTag(c.req.header("If-None-Match"), tag)) return c.body(null, 304);
    // The rest of a version that may have changed: a weak tag and a time do not prove that it has not.
    if (c.req.header("If-Range") !== undefined) c.req.raw = withoutRange(c.req.raw);
    return await serve(c, next);
  };
}

/**
 * Differs after every change that the clock of the disk can tell from the one before. Tools that install
 * packages and build images set the same `mtime` for every version; nothing can set `ctime`.
 */
function tagOf({ size, mtimeMs, ctimeMs }: Stats): string {
  const parts = [size, Math.round(mtimeMs * 1000), Math.round(ctimeMs * 1000)];
  return `W/"${parts.map((part) => part.toString(36)).join("-")}"`;
}

/** The same request, for the whole file. */
function withoutRange({ url, method, headers }: Request): Request {
  const kept = new Headers(headers);
  kept.delete("Range");
  return new Request(url, { method, headers: kept });
}

/**
 * Checks a file before it is opened: opening a FIFO blocks a thread of the process until another process
 * writes to it, and a device never ends.
 */
async function findServed(root: string, path: string): Promise<Stats | undefined> {
  try {
    // The folder may itself be a link, which each release changes.
    const folder = await realpath(root);
    let file = await realpath(join(root, path));
    let found = await stat(file);
    if (found.isDirectory()) {
      file = await realpath(join(file, INDEX));
      found = await stat(file);
    }
    return found.isFile() && isWithin(folder, file) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isWithin(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
