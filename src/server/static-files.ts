/** Serves a folder of files. */
import { serveStatic } from "@hono/node-server/serve-static";
import type { MiddlewareHandler } from "hono";
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";

/** The file that is served for a folder. */
const INDEX = "index.html";

/** Matches paths that Hono has decoded. `.well-known` is public. */
const HIDDEN = /\/\.(?!well-known\/)/;

/**
 * Serves the regular files of a folder, except those with a dot at the beginning of a path segment:
 * `.env` and `.git` are not for clients. Symbolic links are followed within the folder.
 */
export function serveFolder(root: string): MiddlewareHandler {
  const serve = serveStatic({ root, index: INDEX });
  return async (c, next) => {
    const { method, path } = c.req;
    const isRead = method === "GET" || method === "HEAD";
    if (!isRead || HIDDEN.test(path) || !await isServed(root, path)) return await next();
    return await serve(c, next);
  };
}

/**
 * Checks a file before it is opened: opening a FIFO blocks a thread of the process until another process
 * writes to it, and a device never ends.
 */
async function isServed(root: string, path: string): Promise<boolean> {
  try {
    // The folder may itself be a link, which each release changes.
    const folder = await realpath(root);
    let file = await realpath(join(root, path));
    let found = await stat(file);
    if (found.isDirectory()) {
      file = await realpath(join(file, INDEX));
      found = await stat(file);
    }
    return found.isFile() && isWithin(folder, file);
  } catch {
    return false;
  }
}

function isWithin(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
