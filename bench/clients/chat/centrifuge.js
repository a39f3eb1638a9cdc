/** The chat with centrifuge-js. The namespace of the channel has `force_recovery`. */
// @ts-ignore: `bun install` in bench/clients brings it.
import { Centrifuge } from "centrifuge";

export async function openChat(url, room, show, reload) {
  const centrifuge = new Centrifuge(url);
  const channel = centrifuge.newSubscription(room);
  channel.on("publication", ({ data }) => show(data));
  channel.on("subscribed", ({ wasRecovering, recovered }) => {
    if (wasRecovering && !recovered) reload();
  });
  channel.subscribe();
  centrifuge.connect();
  await channel.ready();
  return {
    say: (message) => channel.publish(message),
    close: () => centrifuge.disconnect(),
  };
}
