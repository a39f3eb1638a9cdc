/** The client library against a server in a process of its own, behind a proxy that a test disturbs. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createClient } from "../../src/client/client.ts";
import type { Client, ConnectOptions } from "../../src/client/mod.ts";
import type { Disturbed } from "./disturbances.ts";
import { fastPlatform } from "./fast-platform.ts";
import { keptPort } from "./ports.ts";
import { openStage, type Stage, type Weir } from "./process.ts";
import { Proxy } from "./proxy.ts";
import type { Tool } from "./toolchain.ts";

/** A server that ends and comes back, and clients in front of it. */
export class ClientStage {
  readonly stage: Stage;
  readonly proxy: Proxy;
  /** Of the server itself. */
  readonly port: number;
  readonly #clients: Client[] = [];
  #server: Weir | undefined;

  private constructor(stage: Stage, proxy: Proxy, port: number) {
    this.stage = stage;
    this.proxy = proxy;
    this.port = port;
  }

  /** Starts `weir run` on a runtime, and ends it after `body`. `files` has a `weir.hcl` for a port. */
  static async run(
    runtime: Tool,
    files: (port: number) => Readonly<Record<string, string>>,
    body: (stage: ClientStage) => Promise<void>,
  ): Promise<void> {
    const stage = await openStage(runtime);
    const port = await keptPort();
    const proxy = await Proxy.open(port);
    const made = new ClientStage(stage, proxy, port);
    try {
      for (const [name, text] of Object.entries(files(port))) {
        const file = join(stage.folder, name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
      await made.#start();
      await body(made);
      stage.assertSound();
    } finally {
      for (const client of made.#clients) client.close();
      proxy.close();
      await stage.end();
    }
  }

  /** A client that goes through the proxy; with `direct` it does not. Its time runs `speed` times as fast. */
  connect(
    { direct = false, query = "", speed = 1, ...options }: ConnectOptions & {
      readonly direct?: boolean;
      readonly query?: string;
      readonly speed?: number;
    } = {},
  ): Client {
    const url = `ws://127.0.0.1:${direct ? this.port : this.proxy.port}/ws?${query}`;
    const client: Client = createClient(url, options, fastPlatform(speed));
    this.#clients.push(client);
    return client;
  }

  /** Ends the process of the server, and starts it again. */
  async restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.signal(signal);
    await server?.ended();
    await this.#start();
  }

  /** What disturbs a client. */
  world(client: Client, waits: () => boolean): Disturbed {
    return {
      proxy: this.proxy,
      status: () => client.status,
      waits,
      restart: (signal) => this.restart(signal),
    };
  }

  async #start(): Promise<void> {
    this.#server = await this.stage.run(["weir.hcl"]);
  }
}
