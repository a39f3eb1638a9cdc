/** A Redis with a replica, and a Sentinel that watches both. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { REDIS_SERVER } from "./broker-programs.ts";
import { openAt, OwnServer, type Site, WITH_US } from "./own-server.ts";
import { RedisServer, withRedis } from "./redis.ts";
import { until } from "./mq.ts";

/** The name of what a Sentinel watches here. */
export const MASTER = "main";

/** The Sentinel: a process that clients ask where the master is. */
class Sentinel extends OwnServer {
  protected readonly stopSignal = "SIGTERM";
  readonly #file: string;

  constructor(site: Site, master: number) {
    super(site);
    this.#file = join(site.folder, "sentinel.conf");
    // It writes into its file what it finds out.
    writeFileSync(
      this.#file,
      [
        `port ${site.port}`,
        "bind 127.0.0.1",
        `dir ${site.folder}`,
        `sentinel monitor ${MASTER} 127.0.0.1 ${master} 1`,
        `sentinel down-after-milliseconds ${MASTER} 500`,
        `sentinel failover-timeout ${MASTER} 2000`,
        "",
      ].join("\n"),
    );
  }

  protected command(): readonly string[] {
    return [...WITH_US, REDIS_SERVER, this.#file, "--sentinel"];
  }

  protected ready(output: string): boolean {
    return output.includes("+monitor master");
  }
}

/** Three processes; {@link RedisSentinel.open} resolves when one of the two may follow the other. */
export class RedisSentinel {
  readonly servers: readonly RedisServer[];
  readonly #sentinel: Sentinel;

  private constructor(servers: readonly RedisServer[], sentinel: Sentinel) {
    this.servers = servers;
    this.#sentinel = sentinel;
  }

  /** Starts them on free ports. */
  static async open(): Promise<RedisSentinel> {
    const settings = { "repl-diskless-sync-delay": "0" };
    const opened: OwnServer[] = [];
    const keep = <S extends OwnServer>(server: S): S => {
      opened.unshift(server);
      return server;
    };
    try {
      const first = keep(await RedisServer.open({ settings }));
      const replicaof = `127.0.0.1 ${first.port}`;
      const second = keep(await RedisServer.open({ settings: { ...settings, replicaof } }));
      const sentinel = keep(await openAt("sentinel", (site) => new Sentinel(site, first.port)));
      const group = new RedisSentinel([first, second], sentinel);
      await until("the replica", async () => {
        const replicas = await group.#ask(["SENTINEL", "replicas", MASTER]);
        const [replica] = replicas as Readonly<Record<string, string>>[];
        return replica?.["master-link-status"] === "ok";
      });
      return group;
    } catch (error) {
      for (const server of opened) await server.end();
      throw error;
    }
  }

  /** The port of the Sentinel. */
  get port(): number {
    return this.#sentinel.port;
  }

  /** The server that takes writes, as the Sentinel says. */
  async master(): Promise<RedisServer> {
    const [, port] = await this.#ask(["SENTINEL", "get-master-addr-by-name", MASTER]) as string[];
    const found = this.servers.find((server) => server.port === Number(port));
    if (found === undefined) throw new Error(`nothing is known of port ${port}`);
    return found;
  }

  /** Makes the other one the master, as an operator does; resolves when it is. */
  async failOver(): Promise<void> {
    const before = await this.master();
    await this.#ask(["SENTINEL", "failover", MASTER]);
    await until("another master", async () => await this.master() !== before);
  }

  /** Ends all of them. */
  async end(): Promise<void> {
    for (const server of [this.#sentinel, ...this.servers]) await server.end();
  }

  #ask(command: string[]): Promise<unknown> {
    return withRedis(
      `redis://127.0.0.1:${this.port}`,
      (client) => client.sendCommand(command),
    );
  }
}
