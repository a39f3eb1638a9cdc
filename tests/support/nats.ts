/** NATS in tests: servers of a test's own, with JetStream. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createUser, type KeyPair } from "@nats-io/nkeys";
import { NATS_SERVER } from "./broker-programs.ts";
import { makeTls, type Tls, type TlsFiles } from "./broker-tls.ts";
import { until } from "./mq.ts";
import { makeAccounts } from "./nats-accounts.ts";
import { openAt, OwnServer, PASSWORD, type Site, WITH_US } from "./own-server.ts";
import { keptPort } from "./ports.ts";

/** The server of this machine, with JetStream. */
export const SHARED_NATS = "nats://127.0.0.1:4222";

/** How a server knows its clients. */
export type NatsLogin =
  /** The user `weir` with `PASSWORD`. */
  | "user"
  /** `PASSWORD` as a token. */
  | "token"
  /** The public key of {@link NatsServer.seed}. */
  | "nkey"
  /** The claims in the file {@link NatsServer.creds}. */
  | "creds";

/** What a server of a test's own is made with. */
export interface NatsServerOptions {
  /** Without, everybody may connect. */
  readonly login?: NatsLogin;
  /** It speaks nothing but TLS then. */
  readonly tls?: Tls;
  /** Its own settings, such as `max_payload: 1024`. */
  readonly settings?: readonly string[];
}

/**
 * A server that can be stopped, killed, frozen and started again. JetStream is there; what it has
 * acknowledged outlives a SIGKILL, in a stream on disk.
 */
export class NatsServer extends OwnServer {
  /** Where it is, without a login. */
  readonly url: string;
  /** Its certificates; undefined without `tls`. */
  readonly tls: TlsFiles | undefined;
  /** The seeds of its user's key, such as `SUAB…`, and of one whom it does not know. */
  readonly seed: string;
  readonly strangerSeed: string = seedOf(createUser());
  /** The paths of credentials of a user, and of one whom it does not know. Only with that login. */
  readonly creds: string;
  readonly strangerCreds: string;
  protected readonly stopSignal = "SIGTERM";

  private constructor(site: Site, tls: TlsFiles | undefined, seed: string) {
    super(site);
    this.url = `${tls === undefined ? "nats" : "tls"}://127.0.0.1:${site.port}`;
    this.tls = tls;
    this.seed = seed;
    this.creds = join(site.folder, "user.creds");
    this.strangerCreds = join(site.folder, "stranger.creds");
  }

  /** Starts one on a free port. */
  static async open(options: NatsServerOptions = {}): Promise<NatsServer> {
    return await openAt("nats", (site) => NatsServer.#make(site, options));
  }

  /** Starts several that know each other; resolves when their JetStream has a leader. */
  static async openCluster(size: number): Promise<readonly NatsServer[]> {
    const ports = await Promise.all(Array.from({ length: size }, () => keptPort()));
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(", ");
    const opened = await Promise.allSettled(ports.map((port) =>
      NatsServer.open({
        settings: [
          `server_name: s${port}`,
          `cluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
        ],
      })
    ));
    const servers = opened.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    try {
      const failed = opened.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
      const leads = ({ log }: NatsServer) =>
        log.includes("Self is new JetStream cluster metadata leader");
      await until("a leader", () => servers.some(leads));
      return servers;
    } catch (error) {
      for (const server of servers) await server.end();
      throw error;
    }
  }

  static async #make(site: Site, options: NatsServerOptions): Promise<NatsServer> {
    const { login, settings = [] } = options;
    const tls = await makeTls(site.folder, options.tls);
    const user = createUser();
    const server = new NatsServer(site, tls, seedOf(user));
    const lines = [
      `listen: "127.0.0.1:${site.port}"`,
      // Without it, what a stream has acknowledged is written two minutes later at the latest.
      `jetstream { store_dir: "${join(site.folder, "store")}", sync_interval: always }`,
      ...settings,
    ];
    const password = JSON.stringify(PASSWORD);
    if (login === "user") lines.push(`authorization { user: weir, password: ${password} }`);
    if (login === "token") lines.push(`authorization { token: ${password} }`);
    if (login === "nkey") lines.push(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
    if (login === "creds") {
      const accounts = makeAccounts();
      lines.push(...accounts.settings);
      await writeFile(server.creds, accounts.creds, { mode: 0o600 });
      await writeFile(server.strangerCreds, accounts.strangerCreds, { mode: 0o600 });
    }
    if (tls !== undefined) {
      const files = [
        ["cert_file", tls.server.cert],
        ["key_file", tls.server.key],
        ["ca_file", tls.authority.ca],
      ].map(([name, path]) => `${name}: "${path}"`);
      lines.push(`tls { ${files.join(", ")}, verify: ${tls.demanded} }`);
    }
    await writeFile(join(site.folder, "nats.conf"), `${lines.join("\n")}\n`);
    return server;
  }

  protected command(): readonly string[] {
    return [...WITH_US, NATS_SERVER, "-c", join(this.folder, "nats.conf")];
  }

  protected ready(output: string): boolean {
    return output.includes("Server is ready");
  }
}

function seedOf(key: KeyPair): string {
  return new TextDecoder().decode(key.getSeed());
}
