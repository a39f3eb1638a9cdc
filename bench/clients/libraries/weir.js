/** Weir's client library. */
import { connect as open } from "../../../src/client/mod.ts";

const STATUS = { open: "open", waiting: "lost", closed: "over" };

export function connect({ url, room, token, retry = false, dedupe, tell }) {
  const weir = open(url, token === undefined ? {} : { token });
  weir.on("status", (status, reason) => {
    if (status in STATUS) tell(STATUS[status], reason?.code ?? "");
  });
  const operation = dedupe ? "add" : "say";
  // A request that is repeated has time enough for a server that is away.
  const options = retry ? { retry, timeout: 120_000 } : {};
  return {
    ask: (n) => weir.request(operation, { room, n }, options),
    close: () => weir.close(),
  };
}
