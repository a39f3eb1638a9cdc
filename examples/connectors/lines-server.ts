/** The service, for the tests: what is published on a topic goes to all that have subscribed to it. */
import { createServer, type Server, type Socket } from "node:net";

/** A service that can be stopped and started again. */
export class LinesServer {
  /** The bodies that clients have published. */
  readonly published: unknown[] = [];
  readonly #subscribers = new Map<Socket, Set<string>>();
  #server: Server | undefined;
  #port = 0;

  /** The port, once it has been started. */
  get port(): number {
    return this.#port;
  }

  /** Starts it. It gets the same port again. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address !== null && typeof address !== "string") this.#port = address.port;
    this.#server = server;
  }

  /** Stops it, and ends all connections. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<unknown>((resolve) => server?.close(resolve) ?? resolve(undefined));
    for (const socket of this.#subscribers.keys()) socket.destroy();
    await closed;
  }

  /** Sends a message to the subscribers of a topic. */
  publish(topic: string, body: unknown): void {
    for (const [socket, topics] of this.#subscribers) {
      if (topics.has(topic)) socket.write(`${JSON.stringify({ topic, body })}\n`);
    }
  }

  #serve(socket: Socket): void {
    const topics = new Set<string>();
    this.#subscribers.set(socket, topics);
    socket.on("error", () => {});
    socket.on("close", () => this.#subscribers.delete(socket));
    let rest = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const { id, publish, subscribe, body } = JSON.parse(line);
        const error = body === "secret" ? "the service takes no secrets" : undefined;
        socket.write(`${JSON.stringify({ id, error })}\n`);
        if (subscribe !== undefined) topics.add(subscribe);
        if (publish === undefined || error !== undefined) continue;
        this.published.push(body);
        this.publish(publish, body);
      }
    });
  }
}
