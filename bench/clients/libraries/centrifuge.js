/** centrifuge-js. */
// @ts-ignore: `bun install` in bench/clients brings it.
import { Centrifuge } from "centrifuge";

export function connect({ url, room, token = "", tell }) {
  const centrifuge = new Centrifuge(url, { token });
  centrifuge.on("connected", () => tell("open", ""));
  centrifuge.on("connecting", ({ code, reason }) => {
    // 0 is the first attempt.
    if (code !== 0) tell("lost", `${code} ${reason}`);
  });
  centrifuge.on("error", ({ error }) => tell("lost", `${error.code} ${error.message}`));
  centrifuge.on("disconnected", ({ code, reason }) => tell("over", `${code} ${reason}`));
  centrifuge.connect();
  return {
    ask: (n) => centrifuge.publish(room, { n }),
    close: () => centrifuge.disconnect(),
  };
}
