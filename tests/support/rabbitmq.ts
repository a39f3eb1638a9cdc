/** RabbitMQ in tests: a node of a test's own. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RABBITMQ_PROGRAMS, RABBITMQ_SERVER } from "./broker-programs.ts";
import { makeTls, type Tls, type TlsFiles } from "./broker-tls.ts";
import type { ErlangNode } from "./erlang.ts";
import { OwnServer, PASSWORD, type Site, WITH_US } from "./own-server.ts";
import { keptPort } from "./ports.ts";
import { Process } from "./process.ts";

/** What a node of a test's own is made with. */
export interface RabbitServerOptions {
  /** It speaks nothing but TLS then. */
  readonly tls?: Tls;
  /** The user `weir` with `PASSWORD` in place of `guest`; false by default. */
  readonly user?: boolean;
  /** More lines of `rabbitmq.conf`, such as `max_message_size = 1024`. */
  readonly settings?: readonly string[];
  /** Words before its commands that put it on another host, where everybody can reach it as `guest`. */
  readonly before?: readonly string[];
}

/** What a node has for itself. */
export interface RabbitSite extends Site {
  /** For the nodes among each other. */
  readonly distribution: number;
  /** Of Erlang's port mapper; without one of its own a node would leave one running. */
  readonly mapper: number;
  readonly user: boolean;
  readonly tls: TlsFiles | undefined;
  readonly before: readonly string[];
}

/**
 * A node that can be stopped, killed, frozen and started again. Its start takes seconds of the
 * processor: the tests of a file share one. Its queues are where it says that they are durable.
 */
export class RabbitServer extends OwnServer {
  /** Where it is, without user and password. */
  readonly url: string;
  /** Its certificates; undefined without `tls`. */
  readonly tls: TlsFiles | undefined;
  protected readonly stopSignal = "SIGTERM";
  readonly #environment: Readonly<Record<string, string>>;
  readonly #before: readonly string[];
  readonly #mapper: Process;

  /** @ignore Use `RabbitServer.open`. */
  constructor(site: RabbitSite) {
    super(site);
    const { folder, port, distribution, mapper, user, tls, before } = site;
    this.url = `${tls === undefined ? "amqp" : "amqps"}://127.0.0.1:${port}`;
    this.tls = tls;
    this.#before = before;
    this.#environment = {
      HOME: folder,
      ERL_EPMD_ADDRESS: "127.0.0.1",
      ERL_EPMD_PORT: String(mapper),
      ERL_FLAGS: "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
      RABBITMQ_NODENAME: `weir-test-${port}@localhost`,
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: join(folder, "data"),
      RABBITMQ_LOG_BASE: join(folder, "log"),
      RABBITMQ_PID_FILE: join(folder, "pid"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
      // Of the machine's own node it takes no settings.
      RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
      RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "none"),
      // A settings file would read a colon in the password as something else.
      ...user ? { RABBITMQ_DEFAULT_USER: "weir", RABBITMQ_DEFAULT_PASS: PASSWORD } : {},
      // The script becomes the node: otherwise it stays between, and signals do not pass.
      RUNNING_UNDER_SYSTEMD: "1",
      // Schedulers that look for work take the processor from those who have it.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+sbwt none +sbwtdcpu none +sbwtdio none",
    };
    const listen = ["-address", "127.0.0.1", "-port", String(mapper)];
    const [program, ...args] = [...before, ...WITH_US, "epmd", ...listen];
    this.#mapper = new Process(program, args, { cwd: folder });
  }

  /** Starts one on a free port. */
  static async open(options: RabbitServerOptions = {}): Promise<RabbitServer> {
    const server = new RabbitServer(await rabbitSite(options));
    try {
      await server.start();
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  /** For those who ask it something that `rabbitmqctl` takes longer for. */
  async node(): Promise<ErlangNode> {
    const cookie = await readFile(join(this.folder, ".erlang.cookie"), "utf8");
    return { name: this.#environment.RABBITMQ_NODENAME, cookie, env: this.#environment };
  }

  /** Runs `rabbitmqctl` for it; returns what it prints. It takes a second of the processor. */
  async control(...args: readonly string[]): Promise<string> {
    const options = { cwd: this.folder, env: this.#environment };
    const command = [...this.#before, join(RABBITMQ_PROGRAMS, "rabbitmqctl"), "-q", ...args];
    const exit = await new Process(command[0], command.slice(1), options).ended();
    assert.equal(exit.code, 0, `rabbitmqctl ${args.join(" ")}: ${exit.stderr}`);
    return exit.stdout;
  }

  protected command(): readonly string[] {
    return [...this.#before, ...WITH_US, RABBITMQ_SERVER];
  }

  protected override environment(): Readonly<Record<string, string>> {
    return this.#environment;
  }

  protected ready(output: string): boolean {
    return /completed with \d+ plugins/.test(output);
  }

  protected override async clear(): Promise<void> {
    await this.#mapper.kill();
    await super.clear();
  }
}

/** Makes the folder of a node, with its settings. */
export async function rabbitSite(
  { tls, user = false, settings = [], before = [] }: RabbitServerOptions = {},
): Promise<RabbitSite> {
  const folder = await mkdtemp(join(tmpdir(), "weir-rabbitmq-"));
  try {
    const [port, distribution, mapper] = [await keptPort(), await keptPort(), await keptPort()];
    const files = await makeTls(folder, tls);
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "plugins"), "[].\n");
    const reachable = before.length === 0 ? [] : ["loopback_users = none"];
    const host = before.length === 0 ? "127.0.0.1" : "0.0.0.0";
    const lines = [...settings, ...reachable, ...listeners(`${host}:${port}`, files)];
    await writeFile(join(folder, "rabbitmq.conf"), `${lines.join("\n")}\n`);
    return { folder, port, distribution, mapper, user, tls: files, before };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}

function listeners(address: string, tls: TlsFiles | undefined): readonly string[] {
  if (tls === undefined) return [`listeners.tcp.1 = ${address}`];
  return [
    "listeners.tcp = none",
    `listeners.ssl.1 = ${address}`,
    `ssl_options.cacertfile = ${tls.authority.ca}`,
    `ssl_options.certfile = ${tls.server.cert}`,
    `ssl_options.keyfile = ${tls.server.key}`,
    `ssl_options.verify = ${tls.demanded ? "verify_peer" : "verify_none"}`,
    `ssl_options.fail_if_no_peer_cert = ${tls.demanded}`,
  ];
}
