/** The client library against a real server, behind a proxy that a test disturbs. */
import { SignJWT } from "jose";
import { test } from "node:test";
import { createClient } from "../../src/client/client.ts";
import { type Client, connect, type ConnectOptions } from "../../src/client/mod.ts";
import { SECRET } from "./auth.ts";
import { fastPlatform } from "./fast-platform.ts";
import { freePort } from "./ports.ts";
import { Proxy } from "./proxy.ts";
import { hosts, type RunningHost } from "./socket-hosts.ts";

/** A server that can be started again, and clients in front of it. */
export class Library {
  readonly proxy: Proxy;
  readonly #port: number;
  readonly #config: string;
  readonly #clients: Client[] = [];
  #server: RunningHost | undefined;

  private constructor(proxy: Proxy, port: number, config: string) {
    this.proxy = proxy;
    this.#port = port;
    this.#config = config;
  }

  /** Starts a server; its connector "ws" has these attributes. */
  static async start(attributes: string, flows: string): Promise<Library> {
    const port = await freePort();
    const config = `
      connector "ws" {
        type = "websocket"
        host = "127.0.0.1"
        port = ${port}
        ${attributes}
      }
      ${flows}`;
    const library = new Library(await Proxy.open(port), port, config);
    await library.startServer();
    return library;
  }

  async startServer(): Promise<void> {
    this.#server = await hosts[0].start(this.#config);
  }

  /** Shuts the server down in order: it drains. */
  async stopServer(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  get runtime(): RunningHost["runtime"] {
    if (this.#server === undefined) throw new Error("no server runs");
    return this.#server.runtime;
  }

  /**
   * A client that goes through the proxy; with `direct` it does not, and is as any other. The time of
   * one behind the proxy runs `speed` times as fast.
   */
  connect(
    options: ConnectOptions & {
      readonly direct?: boolean;
      readonly query?: string;
      readonly speed?: number;
    } = {},
  ): Client {
    const { direct = false, query = "", speed, ...others } = options;
    const url = `ws://127.0.0.1:${direct ? this.#port : this.proxy.port}/ws?${query}`;
    return this.#keep(
      direct ? connect(url, others) : createClient(url, others, fastPlatform(speed)),
    );
  }

  #keep(client: Client): Client {
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.proxy.close();
    await this.stopServer();
  }
}

/** Registers a test with such a server. */
export function libraryTest(
  name: string,
  { attributes = "", flows }: { readonly attributes?: string; readonly flows: string },
  run: (library: Library) => Promise<void>,
): void {
  test(name, async () => {
    const library = await Library.start(attributes, flows);
    try {
      await run(library);
    } finally {
      await library.close();
    }
  });
}

/** A token of a user that expires in some seconds. */
export function tokenFor(user: string, seconds: number): Promise<string> {
  return new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject(user).setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(new TextEncoder().encode(SECRET));
}
