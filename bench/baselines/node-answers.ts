/** Baseline: `ws` on Node, each message answered by the program that `BENCH_ANSWERS` names. */
import { createServer } from "node:http";
import process from "node:process";
import { WebSocketServer } from "ws";

/** Makes the answer to a frame. */
interface Answers {
  answerTo(frame: string): Promise<string>;
}

const { answerTo }: Answers = await import(`./${process.env.BENCH_ANSWERS}-answers.ts`);

const server = createServer();

new WebSocketServer({ server, path: "/ws" }).on("connection", (socket) => {
  socket.on("message", (bytes) => {
    answerTo(bytes.toString()).then((answer) => socket.send(answer), fail);
  });
  // A client that is gone shows as "close" too.
  socket.on("error", () => {});
});

function fail(error: Error): never {
  console.error(error);
  process.exit(1);
}

const port = Number(process.env.BENCH_PORT);
server.listen({ port, host: "127.0.0.1", backlog: 1024 }, () => console.log(`ready ${port}`));
