/** Weir's packages as the registries of npm and JSR get them. A test run makes them once. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { execFile } from "node:child_process";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { Parser } from "tar";
import { packNpm } from "../../package/pack.ts";
import { root } from "./process.ts";
import { needTool, PACKAGES_VARIABLE } from "./toolchain.ts";

/** The tarballs of both registries. */
export interface Packages {
  readonly npm: Uint8Array;
  readonly jsr: Uint8Array;
}

let made: Promise<Packages> | undefined;

/** Returns the packages of the test run, or makes them. */
export function packages(): Promise<Packages> {
  const folder = process.env[PACKAGES_VARIABLE];
  return made ??= folder === undefined ? makePackages() : readPackages(folder);
}

/** Makes both packages and writes them into a folder, for {@link PACKAGES_VARIABLE}. */
export async function writePackages(folder: string): Promise<void> {
  const { npm, jsr } = await makePackages();
  await writeFile(join(folder, "npm.tgz"), npm);
  await writeFile(join(folder, "jsr.tgz"), jsr);
}

async function readPackages(folder: string): Promise<Packages> {
  return {
    npm: await readFile(join(folder, "npm.tgz")),
    jsr: await readFile(join(folder, "jsr.tgz")),
  };
}

async function makePackages(): Promise<Packages> {
  const folder = await mkdtemp(join(tmpdir(), "weir-packages-"));
  try {
    return { npm: await readFile(await packNpm(folder)), jsr: await publishToJsr() };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Publishes to a server of this process, and returns the tarball that it receives. */
async function publishToJsr(): Promise<Uint8Array> {
  let received: Uint8Array | undefined;
  const server = createServer(async (request, response) => {
    const { method, url = "" } = request;
    const body = await bodyOf(request);
    const isVersion = url.startsWith("/api/scopes/weir/packages/runtime/versions/");
    response.setHeader("content-type", "application/json");
    if (isVersion && method === "GET") {
      // Not published yet.
      response.writeHead(404).end(`{"code":"packageVersionNotFound","message":"not found"}`);
    } else {
      if (isVersion) received = body;
      response.end(`{"id":"1","scope":"weir","name":"runtime","status":"success","error":null}`);
    }
  });
  const url = await listen(server);
  try {
    const args = ["publish", "--quiet", "--allow-dirty", "--no-check", "--token", "test"];
    const env = { ...process.env, NO_COLOR: "1", JSR_URL: url };
    await promisify(execFile)(await needTool("deno"), args, { cwd: root, env });
  } finally {
    close(server);
  }
  if (received === undefined) throw new Error("deno publish has published nothing");
  return received;
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

/** Opens a free port of this machine and returns its URL, with a slash at its end. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}

/** Closes a port and its connections. */
export function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** The files of a tarball, by their paths in it. */
export async function filesOf(tarball: Uint8Array): Promise<Map<string, Uint8Array>> {
  const files: Promise<[string, Uint8Array]>[] = [];
  const parser = new Parser({
    onReadEntry: (entry) => {
      if (entry.type !== "File") return entry.resume();
      const path = entry.path.replace(/^\.\//, "");
      files.push(entry.concat().then((content) => [path, content]));
    },
  });
  await new Promise<void>((resolve, reject) => {
    parser.on("end", resolve);
    parser.on("error", reject);
    parser.end(Buffer.from(tarball));
  });
  return new Map(await Promise.all(files));
}
