/** Baseline: a broker to all clients, with its client library and `Bun.serve`, one `send` for each client. */
import process from "node:process";
import { consume } from "./broker-consumer.ts";

interface BunSocket {
  send(text: string): number;
}

interface BunServer {
  upgrade(request: Request, options: { readonly data: null }): boolean;
}

// As much of Bun as this file uses, so that every runtime's tools can check it.
declare const Bun: {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    fetch(request: Request, server: BunServer): Response | undefined;
    readonly websocket: {
      open(socket: BunSocket): void;
      message(): void;
      close(socket: BunSocket): void;
    };
  }): BunServer;
};

const clients = new Set<BunSocket>();
await consume((text) => {
  for (const client of clients) client.send(text);
});
const port = Number(process.env.BENCH_PORT);
Bun.serve({
  hostname: "127.0.0.1",
  port,
  fetch(request, server) {
    if (server.upgrade(request, { data: null })) return undefined;
    return new Response(null, { status: 426 });
  },
  websocket: {
    open: (client) => void clients.add(client),
    message: () => {},
    close: (client) => void clients.delete(client),
  },
});
console.log(`ready ${port}`);
