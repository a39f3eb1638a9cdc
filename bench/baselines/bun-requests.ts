/** Baseline: `Bun.serve`, each message parsed and answered. */
import process from "node:process";
import { answerTo } from "./answer.ts";

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
    readonly websocket: { message(socket: BunSocket, text: string): void };
  }): BunServer;
};

const port = Number(process.env.BENCH_PORT);
Bun.serve({
  hostname: "127.0.0.1",
  port,
  fetch(request, server) {
    if (server.upgrade(request, { data: null })) return undefined;
    return new Response(null, { status: 426 });
  },
  websocket: {
    message(socket, text) {
      socket.send(answerTo(text));
    },
  },
});
console.log(`ready ${port}`);
