/** Baseline: a room with Bun's native publish. */
import process from "node:process";

interface Frame {
  readonly type: string;
  readonly id?: number;
  readonly data?: unknown;
}

interface BunSocket {
  subscribe(topic: string): void;
  send(text: string): number;
}

interface BunServer {
  upgrade(request: Request, options: { readonly data: null }): boolean;
  publish(topic: string, text: string): number;
}

// As much of Bun as this file uses, so that every runtime's tools can check it.
declare const Bun: {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    fetch(request: Request, server: BunServer): Response | undefined;
    readonly websocket: { message(socket: BunSocket, text: string): void };
  }): BunServer;
};

const port = Number(process.env.BENCH_PORT);
const server = Bun.serve({
  hostname: "127.0.0.1",
  port,
  fetch(request, server) {
    if (server.upgrade(request, { data: null })) return undefined;
    return new Response(null, { status: 426 });
  },
  websocket: {
    message(socket, text) {
      const frame = JSON.parse(text) as Frame;
      if (frame.type === "join_room") {
        socket.subscribe("r");
        socket.send(JSON.stringify({ type: "ack", id: frame.id }));
      } else if (frame.type === "message") {
        server.publish("r", JSON.stringify({ type: "message", data: frame.data, room: "r" }));
      }
    },
  },
});
console.log(`ready ${port}`);
