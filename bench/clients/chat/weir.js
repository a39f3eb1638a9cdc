/** The chat with Weir's client library. */
import { connect } from "../../../src/client/mod.ts";

export async function openChat(url, name, show, reload) {
  const weir = connect(url);
  const room = await weir.join(name);
  room.on("message", show);
  room.on("resync", reload);
  return {
    say: (message) => weir.request("say", { room: name, ...message }),
    close: () => weir.close(),
  };
}
