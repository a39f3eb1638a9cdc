/** Baseline: `Bun.serve`, each message answered by the program that `BENCH_ANSWERS` names. */
import process from "node:process";

/** Makes the answer to a frame. */
interface Answers {
  answerTo(frame: string): Promise<string>;
}

const { answerTo }: Answers = await import(`./${process.env.BENCH_ANSWERS}-answers.ts`);

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
      answerTo(text).then((answer) => socket.send(answer), fail);
    },
  },
});
console.log(`ready ${port}`);

function fail(error: Error): never {
  console.error(error);
  process.exit(1);
}
