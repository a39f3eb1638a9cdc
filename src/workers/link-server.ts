/** The socket to which workers connect, for the link among them. */
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import { FrameError, type HubPort, LinkHub, type LinkHubOptions } from "../cluster/mod.ts";
import { randomId } from "../base/ids.ts";
import { KEY_LENGTH, type LinkAddress, pipeOver } from "./link-socket.ts";

/** How long a connection may take to show its key, in milliseconds. */
const KEY_TIME = 5_000;

/** What a server is made with. */
export interface LinkServerOptions extends LinkHubOptions {
  /** Called when the connection of a worker has ended while it was an instance. */
  onBroken(instance: string, reason: string): void;
}

/**
 * Listens on an abstract socket of Linux, which is no file: it needs no folder that can be written to,
 * and nothing of it stays. All processes of the machine can connect, so each worker has a key, which
 * it got over its own connection to the supervisor, and which works once.
 */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #hub: LinkHub;
  readonly #server: Server;
  readonly #path = `\0weir-${randomId()}`;
  /** The instance of each key that has not been used. */
  readonly #keys = new Map<string, string>();
  /** All that are connected, with their instances or without. */
  readonly #sockets = new Map<Socket, string | undefined>();

  /** Does not listen yet. */
  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#hub = new LinkHub(options);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#path, resolve);
    });
  }

  /** How the worker with this id reaches the hub. */
  admit(instance: string): LinkAddress {
    const key = randomId().replaceAll("-", "");
    this.#keys.set(key, instance);
    return { path: this.#path, key };
  }

  /** The worker with this id has ended. */
  end(instance: string): void {
    for (const [key, owner] of this.#keys) if (owner === instance) this.#keys.delete(key);
    for (const [socket, owner] of this.#sockets) if (owner === instance) socket.destroy();
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#hub.end();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  /** Reads the key before anything else. */
  #accept(socket: Socket): void {
    this.#sockets.set(socket, undefined);
    const inTime = this.#options.clock.after(KEY_TIME, () => void socket.destroy());
    socket.on("close", () => {
      inTime();
      this.#sockets.delete(socket);
    });
    // Every end is one of "close".
    socket.on("error", () => {});
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      if (head.length < KEY_LENGTH) return;
      inTime();
      socket.off("data", read);
      this.#admitted(socket, head.toString("latin1", 0, KEY_LENGTH), head.subarray(KEY_LENGTH));
    };
    socket.on("data", read);
  }

  #admitted(socket: Socket, key: string, rest: Uint8Array): void {
    const instance = this.#keys.get(key);
    this.#keys.delete(key);
    if (instance === undefined) return void socket.destroy();
    this.#sockets.set(socket, instance);
    const end = (reason: string): void => {
      const broken = port.isOpen;
      port.end();
      if (broken) this.#options.onBroken(instance, reason);
    };
    const read = (chunk: Uint8Array): void => {
      try {
        port.read(chunk);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        end(`has sent nonsense: ${error.message}`);
        socket.destroy();
      }
    };
    const port: HubPort = this.#hub.connect(instance, pipeOver(socket, { read, end }));
    read(rest);
  }
}
