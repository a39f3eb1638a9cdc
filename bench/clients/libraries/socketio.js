/** Socket.IO's client. */
// @ts-ignore: `bun install` in bench/clients brings it.
import { io } from "socket.io-client";

export function connect({ url, room, token, retry, tell }) {
  const socket = io(url, {
    // Without it all clients of a process share one connection.
    forceNew: true,
    ...token === undefined ? {} : { auth: { token } },
    // Its documentation has three retries, which a proxy that cuts so often uses up.
    ...retry ? { retries: 20, ackTimeout: 10_000 } : {},
  });
  const away = (reason) => tell(socket.active ? "lost" : "over", reason);
  socket.on("connect", () => tell("open", ""));
  socket.on("disconnect", away);
  socket.on("connect_error", ({ message }) => away(message));
  return {
    ask: (n) => socket.emitWithAck("say", { room, n }),
    close: () => socket.disconnect(),
  };
}
