/** Redis in tests: processes of a test's own, and clients. */
import { createClient } from "@redis/client";
import { REDIS_SERVER } from "./broker-programs.ts";
import { makeTls, type Tls, type TlsFiles } from "./broker-tls.ts";
import { openAt, OwnServer, type Site, WITH_US } from "./own-server.ts";

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

/** What a server of a test's own is made with. */
export interface RedisServerOptions {
  /** The password of the user `default`; none by default. */
  readonly password?: string;
  /** More users with their rules, such as `{ reader: "on >secret ~* &* +@read" }`. */
  readonly users?: Readonly<Record<string, string>>;
  /** It speaks nothing but TLS then. */
  readonly tls?: Tls;
  /** Whether what it has acknowledged outlives a SIGKILL; false by default: it keeps nothing. */
  readonly durable?: boolean;
  /** More of its settings, such as `{ maxmemory: "2mb" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A process of Redis that can be stopped, killed, frozen and started again. */
export class RedisServer extends OwnServer {
  /** Where it is, without user and password. */
  readonly url: string;
  /** Its certificates; undefined without `tls`. */
  readonly tls: TlsFiles | undefined;
  protected readonly stopSignal = "SIGTERM";
  readonly #settings: readonly string[];

  private constructor(site: Site, options: RedisServerOptions, tls: TlsFiles | undefined) {
    super(site);
    this.url = `${tls === undefined ? "redis" : "rediss"}://127.0.0.1:${site.port}`;
    this.tls = tls;
    this.#settings = settingsOf(site, options, tls);
  }

  /** Starts one on a free port. */
  static async open(options: RedisServerOptions = {}): Promise<RedisServer> {
    return await openAt("redis", async (site) => {
      return new RedisServer(site, options, await makeTls(site.folder, options.tls));
    });
  }

  protected command(): readonly string[] {
    return [...WITH_US, REDIS_SERVER, ...this.#settings];
  }

  protected ready(output: string): boolean {
    return output.includes("Ready to accept connections");
  }
}

function settingsOf(
  { folder, port }: Site,
  { password, users = {}, durable = false, settings = {} }: RedisServerOptions,
  tls: TlsFiles | undefined,
): string[] {
  const all: Record<string, string> = {
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: durable ? "yes" : "no",
    appendfsync: "always",
    ...(tls === undefined ? { port: String(port) } : {
      port: "0",
      "tls-port": String(port),
      "tls-cert-file": tls.server.cert,
      "tls-key-file": tls.server.key,
      "tls-ca-cert-file": tls.authority.ca,
      "tls-auth-clients": tls.demanded ? "yes" : "no",
    }),
    ...(password === undefined ? {} : { requirepass: password }),
    ...settings,
  };
  return [
    ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
    ...Object.entries(users).flatMap(([name, rules]) => ["--user", name, ...rules.split(" ")]),
  ];
}
