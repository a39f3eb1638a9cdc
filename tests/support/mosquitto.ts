/** Mosquitto in tests: an MQTT broker of a test's own. */
import { execFile } from "node:child_process";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { MOSQUITTO } from "./broker-programs.ts";
import { makeTls, type Tls, type TlsFiles } from "./broker-tls.ts";
import { until } from "./mq.ts";
import { openAt, OwnServer, type Site, WITH_US } from "./own-server.ts";
import { keptPort } from "./ports.ts";

/** The broker of this machine. */
export const SHARED_MQTT = "mqtt://127.0.0.1:1883";

/** What a broker of a test's own is made with. */
export interface MosquittoOptions {
  /** Names with their passwords. Without, everybody may connect. */
  readonly users?: Readonly<Record<string, string>>;
  /** Lines of its list of rules, such as `user anna` and `topic read devices/#`. */
  readonly acl?: readonly string[];
  /** It speaks nothing but TLS then, also under WebSocket. */
  readonly tls?: Tls;
  /** Whether clients may come by WebSocket, at another port; false by default. */
  readonly websocket?: boolean;
  /**
   * Whether sessions and messages outlive a stop, and a SIGKILL as far as they were saved; false by
   * default. See {@link MosquittoServer.save}.
   */
  readonly persistent?: boolean;
  /** More lines of its configuration, such as `max_packet_size 4096`. */
  readonly settings?: readonly string[];
}

/** A broker that can be stopped, killed, frozen and started again. */
export class MosquittoServer extends OwnServer {
  /** Where it is, without user and password. */
  readonly url: string;
  /** The same by WebSocket; undefined without `websocket`. */
  readonly websocketUrl: string | undefined;
  /** Its certificates; undefined without `tls`. */
  readonly tls: TlsFiles | undefined;
  protected readonly stopSignal = "SIGTERM";

  private constructor(site: Site, tls: TlsFiles | undefined, websocket: number | undefined) {
    super(site);
    const secure = tls === undefined ? "" : "s";
    this.url = `mqtt${secure}://127.0.0.1:${site.port}`;
    this.websocketUrl = websocket === undefined
      ? undefined
      : `ws${secure}://127.0.0.1:${websocket}`;
    this.tls = tls;
  }

  /** Starts one on a free port. */
  static async open(options: MosquittoOptions = {}): Promise<MosquittoServer> {
    return await openAt("mosquitto", async (site) => {
      const tls = await makeTls(site.folder, options.tls);
      const websocket = options.websocket ? await keptPort() : undefined;
      await configure(site, options, tls, websocket);
      return new MosquittoServer(site, tls, websocket);
    });
  }

  /**
   * Writes to the disk what it holds; what comes later a SIGKILL takes away, although it was
   * acknowledged. It saves by itself after each change, but a moment after the acknowledgment.
   */
  async save(): Promise<void> {
    const file = join(this.folder, "mosquitto.db");
    const before = await modified(file);
    if (this.pid === undefined) throw new Error("it does not run");
    process.kill(this.pid, "SIGUSR1");
    await until("its file", async () => await modified(file) !== before);
  }

  protected command(): readonly string[] {
    return [...WITH_US, MOSQUITTO, "-c", join(this.folder, "mosquitto.conf")];
  }

  protected ready(output: string): boolean {
    return /mosquitto version \S+ running/.test(output);
  }
}

async function modified(file: string): Promise<bigint | undefined> {
  return await stat(file, { bigint: true }).then((found) => found.mtimeNs, () => undefined);
}

async function configure(
  { folder, port }: Site,
  { users, acl, persistent = false, settings = [] }: MosquittoOptions,
  tls: TlsFiles | undefined,
  websocket: number | undefined,
): Promise<void> {
  const lines = [
    // Root has made the files.
    "user root",
    `allow_anonymous ${users === undefined}`,
    // Without it, it waits for an acknowledgment before it sends what is small.
    "set_tcp_nodelay true",
  ];
  if (users !== undefined) {
    const file = join(folder, "passwords");
    await writeFile(file, "", { mode: 0o600 });
    for (const [name, password] of Object.entries(users)) {
      await promisify(execFile)("mosquitto_passwd", ["-b", file, name, password]);
    }
    lines.push(`password_file ${file}`);
  }
  if (acl !== undefined) {
    const file = join(folder, "acl");
    await writeFile(file, `${acl.join("\n")}\n`, { mode: 0o600 });
    lines.push(`acl_file ${file}`);
  }
  if (persistent) {
    lines.push("persistence true", `persistence_location ${folder}/`);
    lines.push("autosave_on_changes true", "autosave_interval 1");
  }
  const secure = tls === undefined ? [] : [
    `cafile ${tls.authority.ca}`,
    `certfile ${tls.server.cert}`,
    `keyfile ${tls.server.key}`,
    `require_certificate ${tls.demanded}`,
  ];
  lines.push(...settings, `listener ${port} 127.0.0.1`, ...secure);
  if (websocket !== undefined) {
    lines.push(`listener ${websocket} 127.0.0.1`, "protocol websockets", ...secure);
  }
  await writeFile(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
}
