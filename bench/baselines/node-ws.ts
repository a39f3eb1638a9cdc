/** Baseline: a room as people write it with `ws` on Node, one `send` for each member. */
import { createServer } from "node:http";
import process from "node:process";
import { type WebSocket, WebSocketServer } from "ws";

interface Frame {
  readonly type: string;
  readonly id?: number;
  readonly data?: unknown;
}

const room = new Set<WebSocket>();
const server = createServer();

new WebSocketServer({ server, path: "/ws" }).on("connection", (socket) => {
  socket.on("message", (bytes) => {
    const frame = JSON.parse(bytes.toString()) as Frame;
    if (frame.type === "join_room") {
      room.add(socket);
      socket.send(JSON.stringify({ type: "ack", id: frame.id }));
    } else if (frame.type === "message") {
      const text = JSON.stringify({ type: "message", data: frame.data, room: "r" });
      for (const member of room) member.send(text);
    }
  });
  socket.on("close", () => room.delete(socket));
  // A client that is gone shows as "close" too.
  socket.on("error", () => {});
});

const port = Number(process.env.BENCH_PORT);
server.listen(port, "127.0.0.1", () => console.log(`ready ${port}`));
