/** A RabbitMQ node of a test's own, which may be killed, frozen and started again. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Connection, type Envelope, type Publisher, type SyncMessage } from "rabbitmq-client";
import { Process } from "../support/process.ts";

/** Started without the wrapper that changes to another user. */
const PROGRAMS = "/usr/lib/rabbitmq/bin";

/**
 * Registers a test that needs a node of its own. Where RabbitMQ is not installed the test is skipped;
 * with `WEIR_TEST_REQUIRE_SERVICES` in the environment it fails.
 */
export async function brokerTest(name: string, run: () => Promise<void>): Promise<void> {
  const program = join(PROGRAMS, "rabbitmq-server");
  const there = await access(program).then(() => true, () => false);
  if (there || (process.env.WEIR_TEST_REQUIRE_SERVICES ?? "") !== "") test(name, run);
  else test.skip(`${name} (there is no ${program})`, () => {});
}

/** Where a message goes: without an exchange straight to a queue. */
export type Target = Pick<Envelope, "exchange" | "routingKey" | "messageId" | "headers">;

/** A node with a folder, ports and a port mapper of its own; nothing of it is left at the end. */
export class Broker {
  /** Where it takes connections, also after it was started again. */
  readonly port: number;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  /** Erlang's port mapper; without one of its own a node would leave one running. */
  readonly #mapper: Process;
  #node: Process | undefined;
  #client: Connection | undefined;
  #publisher: Publisher | undefined;

  private constructor(folder: string, [port, other, mapper]: readonly number[]) {
    this.#folder = folder;
    this.port = port;
    this.#env = {
      HOME: folder,
      ERL_EPMD_ADDRESS: "127.0.0.1",
      ERL_EPMD_PORT: String(mapper),
      ERL_FLAGS: "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
      RABBITMQ_NODENAME: `weir-test-${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(other),
      RABBITMQ_MNESIA_BASE: join(folder, "data"),
      RABBITMQ_LOG_BASE: join(folder, "log"),
      RABBITMQ_PID_FILE: join(folder, "pid"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
      // Of the machine's own node it takes no settings.
      RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
      RABBITMQ_CONFIG_FILE: join(folder, "none"),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "none"),
    };
    this.#mapper = new Process("epmd", ["-address", "127.0.0.1", "-port", String(mapper)], {
      cwd: folder,
    });
  }

  /** Makes a node that does not run yet. */
  static async make(): Promise<Broker> {
    const folder = await mkdtemp(join(tmpdir(), "weir-broker-"));
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "plugins"), "[].\n");
    return new Broker(folder, await freePorts(3));
  }

  /** Starts it where it does not run. */
  async ensure(): Promise<void> {
    if (this.#node === undefined) await this.start();
    this.thaw();
  }

  /** Starts it; resolves when it takes connections. */
  async start(): Promise<void> {
    assert.equal(this.#node, undefined, "it runs already");
    // The script stays between: signals go to the group of both.
    const options = { cwd: this.#folder, env: this.#env, leader: true };
    this.#node = new Process(join(PROGRAMS, "rabbitmq-server"), [], options);
    await this.#node.says(/completed with \d+ plugins/);
  }

  /** Ends it without a warning. */
  async kill(): Promise<void> {
    await this.#node?.kill();
    this.#node = undefined;
  }

  /** Ends it as an operator does. */
  async stop(): Promise<void> {
    this.#node?.signal("SIGTERM");
    await this.#node?.ended();
    this.#node = undefined;
  }

  /** Stops its processes where they are; its sockets stay open and say nothing. */
  freeze(): void {
    this.#node?.signal("SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    this.#node?.signal("SIGCONT");
  }

  /** Runs `rabbitmqctl` for it; gives what it prints. */
  async control(...args: readonly string[]): Promise<string> {
    const options = { cwd: this.#folder, env: this.#env };
    const exit = await new Process(join(PROGRAMS, "rabbitmqctl"), ["-q", ...args], options).ended();
    assert.equal(exit.code, 0, `rabbitmqctl ${args.join(" ")}: ${exit.stderr}`);
    return exit.stdout;
  }

  /** Closes every connection whose name begins with `weir`, as an operator does. */
  async closeConnections(): Promise<number> {
    const lines = (await this.control("list_connections", "pid", "client_properties")).split("\n");
    const ours = lines.filter((line) => /"weir \w/.test(line));
    for (const line of ours) await this.control("close_connection", line.split("\t")[0], "test");
    return ours.length;
  }

  /** The test's own connection, which comes back by itself. */
  get client(): Connection {
    if (this.#client === undefined) {
      this.#client = new Connection({
        hostname: "127.0.0.1",
        port: this.port,
        retryLow: 100,
        retryHigh: 500,
      });
      // The tests kill the broker; what they ask for meanwhile fails by itself.
      this.#client.on("error", () => undefined);
    }
    return this.#client;
  }

  /** Publishes a persistent message, bytes as they are, all else as JSON; resolves when it is confirmed. */
  async publish(target: Target, body: unknown): Promise<void> {
    this.#publisher ??= this.client.createPublisher({ confirm: true, maxAttempts: 1 });
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    await this.#publisher.send(
      { durable: true, contentType: "application/json", ...target },
      bytes,
    );
  }

  /** How many messages wait in a queue; those at work not counted. */
  async count(queue: string): Promise<number> {
    return (await this.client.queueDeclare({ queue, passive: true })).messageCount;
  }

  /** Takes the first message of a queue. */
  async take(queue: string): Promise<SyncMessage | undefined> {
    return await this.client.basicGet({ queue, noAck: true });
  }

  /** Lets go of the test's own connection; the next use makes a new one. */
  async release(): Promise<void> {
    const [client, publisher] = [this.#client, this.#publisher];
    this.#client = undefined;
    this.#publisher = undefined;
    await publisher?.close();
    await client?.close();
  }

  /** Ends everything that belongs to it. */
  async end(): Promise<void> {
    this.thaw();
    if (this.#node === undefined) this.#client?.unsafeDestroy();
    else await this.release();
    await this.kill();
    await this.#mapper.kill();
    await rm(this.#folder, { recursive: true });
  }
}

/** Ports that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  return await Promise.all(servers.map(async (server) => {
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
  }));
}
