/** Serves a folder of files. */
import { serveStatic } from "@hono/node-server/serve-static";
import type { MiddlewareHandler } from "hono";
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";

/** What a folder is served by. */
const INDEX = "index.html";

/** Decoded by Hono. `.well-known` is meant to be read. */
const HIDDEN = /\/\.(?!well-known\/)/;

/**
 * Serves the regular files of a folder, but none whose path has a part that begins with a dot: `.env`
 * and `.git` are not meant for clients. A symbolic link is followed as long as it stays in the folder.
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
 * Looked at before it is opened: to open a FIFO takes a thread of the process until somebody writes to
 * it, and a device has no end.
 */
async function isServed(root: string, path: string): Promise<boolean> {
  try {
    // The folder may itself be a link that is set to another release.
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
