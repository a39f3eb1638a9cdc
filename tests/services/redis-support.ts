/** The mq connector with Redis, as the tests of its own behaviour use it. */
import assert from "node:assert/strict";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { flow, type Made, makeMq } from "../support/mq.ts";
import { openRedis, type RedisClient, type RedisServer, SHARED } from "../support/redis.ts";
import { type Service, serviceTest } from "../support/services.ts";

/** One test's names, its connectors, and a client beside them. */
export class Bench {
  /** A channel or stream that nobody else uses. */
  readonly name: string = `weir-test-${crypto.randomUUID()}`;
  readonly group = "workers";
  readonly #client: RedisClient | undefined;
  readonly #made: Made[] = [];

  /** Without a client it has connectors alone. */
  constructor(client: RedisClient | undefined) {
    this.#client = client;
  }

  get client(): RedisClient {
    assert.ok(this.#client);
    return this.#client;
  }

  /** Makes a connector, which is closed at the end of the test. */
  async make(options: Record<string, unknown> = {}): Promise<Made> {
    const address = options.host === undefined ? { url: [SHARED] } : {};
    const made = await makeMq({ driver: "redis", ...address, ...options }, "events");
    this.#made.push(made);
    return made;
  }

  /** A connector that consumes with one flow. */
  async consume(
    options: Record<string, unknown>,
    run: (event: FlowEvent) => unknown,
    operation: string = this.name,
  ): Promise<Made> {
    const made = await this.make(options);
    made.connector.subscribe(operation, flow(run));
    await made.connector.start();
    await made.connector.consume();
    return made;
  }

  /** The options of a connector that reads streams. */
  streams(consumer: Record<string, unknown> = {}): Record<string, unknown> {
    return { queue: { name: this.group }, consumer: { prefetch: 10, ...consumer } };
  }

  /** Adds an entry as others do; returns its id. */
  async add(fields: Record<string, string>, stream: string = this.name): Promise<string> {
    return String(await this.client.xAdd(stream, "*", fields));
  }

  /** How many entries of the group are pending. */
  async pending(): Promise<number> {
    return (await this.client.xPending(this.name, this.group)).pending;
  }

  async end(): Promise<void> {
    for (const { connector } of this.#made) {
      await connector.stop();
      await connector.drain();
      await connector.close();
    }
    await this.#client?.del([this.name, `${this.name}.dead`]);
    this.#client?.destroy();
  }
}

/** Registers a test with a bench on the Redis of this machine, which needs `service`. */
export async function bench(
  name: string,
  run: (bench: Bench) => Promise<void>,
  service: Service = "redis",
): Promise<void> {
  await serviceTest(service, name, () => withBench(SHARED, run));
}

/** Calls `run` with a bench on a server of the test's own. */
export function benchOn(
  { port }: Pick<RedisServer, "port">,
  { password }: { readonly password: string },
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  return withBench(`redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`, run);
}

async function withBench(url: string, run: (bench: Bench) => Promise<void>): Promise<void> {
  const made = new Bench(await openRedis(url));
  try {
    await run(made);
  } finally {
    await made.end();
  }
}
