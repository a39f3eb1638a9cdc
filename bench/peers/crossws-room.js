/** crossws on Node: a room with its publish and subscribe. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

// Not imported: Weir's own checks of types would look for it.
const { default: crossws } = createRequire(import.meta.url)("crossws/adapters/node");

const sockets = crossws({
  hooks: {
    message(peer, message) {
      const frame = message.json();
      if (frame.type === "join_room") {
        peer.subscribe("r");
        peer.send(JSON.stringify({ type: "ack", id: frame.id }));
      } else if (frame.type === "message") {
        peer.publish("r", JSON.stringify({ type: "message", data: frame.data, room: "r" }));
      }
    },
  },
});

const http = createServer();
http.on("upgrade", sockets.handleUpgrade);
const port = Number(process.env.BENCH_PORT);
http.listen({ port, host: "127.0.0.1", backlog: 1024 }, () => console.log(`ready ${port}`));
