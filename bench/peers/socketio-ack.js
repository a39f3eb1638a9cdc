/** Socket.IO: an event whose acknowledgement carries three fields made of it. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

// Not imported: Weir's own checks of types would look for it.
const { Server } = createRequire(import.meta.url)("socket.io");

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });

io.on("connection", (socket) => {
  socket.on("ask", ({ id, customer, quantity, price }, answer) => {
    answer({ order: id, customer, total: quantity * price });
  });
});

const port = Number(process.env.BENCH_PORT);
http.listen({ port, host: "127.0.0.1", backlog: 1024 }, () => console.log(`ready ${port}`));
