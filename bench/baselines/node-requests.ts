/** Baseline: `ws` on Node, each message parsed and answered. */
import { createServer } from "node:http";
import process from "node:process";
import { WebSocketServer } from "ws";
import { answerTo } from "./answer.ts";

const server = createServer();

new WebSocketServer({ server, path: "/ws" }).on("connection", (socket) => {
  socket.on("message", (bytes) => socket.send(answerTo(bytes.toString())));
  // A client that is gone shows as "close" too.
  socket.on("error", () => {});
});

const port = Number(process.env.BENCH_PORT);
server.listen({ port, host: "127.0.0.1", backlog: 1024 }, () => console.log(`ready ${port}`));
