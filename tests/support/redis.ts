/** Redis in tests: processes of a test's own, and clients. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { keptPort } from "./ports.ts";

/** A client of Redis. */
export type RedisClient = ReturnType<typeof makeClient>;

function makeClient(url: string) {
  return createClient({ url, socket: { reconnectStrategy: false } });
}

/** Connects. The client does not connect again. */
export async function openRedis(url: string): Promise<RedisClient> {
  const client = makeClient(url);
  client.on("error", () => {}); // What fails rejects as well.
  await client.connect();
  return client;
}

/** Connects for as long as `act` takes. */
export async function withRedis<T>(
  url: string,
  act: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = await openRedis(url);
  try {
    return await act(client);
  } finally {
    client.destroy();
  }
}

/** The Redis of this machine. */
export const SHARED = "redis://127.0.0.1:6379";

/** Keys and a channel of one test alone, on the Redis of this machine. */
export interface CounterNames {
  /** For the configuration of `tests/fixtures/redis-counter`. */
  readonly env: Readonly<Record<string, string>>;
  readonly prefix: string;
  readonly channel: string;
}

/** Calls `run` with names of its own, and removes the keys afterwards. */
export async function withNames(run: (names: CounterNames) => Promise<void>): Promise<void> {
  const channel = `weir-test-${crypto.randomUUID()}`;
  const prefix = `${channel}:`;
  const env = { REDIS_URL: SHARED, COUNTER_PREFIX: prefix, COUNTER_CHANNEL: channel };
  try {
    await run({ env, prefix, channel });
  } finally {
    await withRedis(SHARED, async (client) => {
      for (const key of await client.keys(`${prefix}*`)) await client.del(key);
    });
  }
}

/** A process of Redis that keeps nothing on disk, and that can be stopped and started again. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#port = port;
    this.#folder = folder;
  }

  /** Starts one on a free port. */
  static async open(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "weir-redis-"));
    const server = new RedisServer(await keptPort(), folder);
    try {
      await server.start();
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
    return server;
  }

  /** Starts it again at the same address. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const options = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];
    const child = spawn(
      "/usr/bin/redis-server",
      ["--port", String(this.#port), "--dir", this.#folder, ...options],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#process = child;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("Ready to accept connections")) resolve();
      });
      child.on("error", reject);
      child.on("close", () => reject(new Error(`redis-server ended:\n${said}`)));
    });
  }

  /** Stops it, which ends all connections. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    child.kill();
    await once(child, "close");
  }

  /** Stops it and removes its folder. */
  async end(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true });
  }
}
