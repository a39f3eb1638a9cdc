/** The server of Socket.IO's client, with connectionStateRecovery, on Node. */
import { createServer } from "node:http";
import process from "node:process";
// @ts-ignore: `bun install` in bench/clients brings it.
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, {
  connectionStateRecovery: {
    maxDisconnectionDuration: 2 * 60 * 1000,
    skipMiddlewares: true,
  },
});

if (process.argv.includes("token")) {
  io.use((socket, next) => {
    next(socket.handshake.auth.token === "good" ? undefined : new Error("unauthorized"));
  });
}

io.on("connection", (socket) => {
  socket.on("join", async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on("say", ({ room, n }, done) => {
    io.to(room).emit("message", { n });
    done({ n });
  });
});

process.on("SIGTERM", () => void io.close(() => process.exit()));
const port = Number(process.env.BENCH_PORT);
http.listen({ port, host: "127.0.0.1", backlog: 4096 }, () => console.log("ready"));
