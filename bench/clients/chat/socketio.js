/** The chat with Socket.IO's client. The server has connectionStateRecovery. */
// @ts-ignore: `bun install` in bench/clients brings it.
import { io } from "socket.io-client";

export async function openChat(url, room, show, reload) {
  const socket = io(url);
  socket.on("message", show);
  await new Promise((joined) => {
    let first = true;
    socket.on("connect", async () => {
      if (socket.recovered) return;
      await socket.emitWithAck("join", room);
      if (!first) reload();
      first = false;
      joined();
    });
  });
  return {
    say: (message) => socket.timeout(10_000).emitWithAck("say", { room, ...message }),
    close: () => socket.disconnect(),
  };
}
