/** Baseline: a broker to all clients, with its client library and `ws`, one `send` for each client. */
import { createServer } from "node:http";
import process from "node:process";
import { WebSocketServer } from "ws";
import { consume } from "./broker-consumer.ts";

const server = createServer();
const sockets = new WebSocketServer({ server, path: "/ws" });
// A client that is gone shows as "close" too.
sockets.on("connection", (socket) => socket.on("error", () => {}));

await consume((text) => {
  for (const socket of sockets.clients) socket.send(text);
});
const port = Number(process.env.BENCH_PORT);
server.listen(port, "127.0.0.1", () => console.log(`ready ${port}`));
