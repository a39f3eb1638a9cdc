/** Connections opened a second: the handshake, a close and its answer. */
import { measurementOf } from "../load/crowd.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import type { ServerSpec } from "../servers.ts";
import { openContest } from "./crowd-contest.ts";
import { baseline, weir } from "./programs.ts";

const specs: Readonly<Record<string, ServerSpec>> = {
  "ws-node": baseline("node", "node-echo.ts"),
  "weir-node": weir("node", "bench/fanout"),
  "ws-deno": baseline("deno", "deno-ws-echo.ts"),
  "upgrade-deno": baseline("deno", "deno-native-echo.ts"),
  "weir-deno": weir("deno", "bench/fanout"),
  "serve-bun": baseline("bun", "bun-echo.ts"),
  "weir-bun": weir("bun", "bench/fanout"),
};

/** The scenario. */
export const scenario: Scenario = {
  name: "connect",
  title: "Connections opened a second",
  about:
    "64 clients at a time connect, receive the 101, close with 1000, and wait for the close frame " +
    "and the end of the connection. Then the next client connects.",
  unit: "µs CPU a connection",
  contenders: Object.entries(specs).map(([name, { runtime }]) => ({ name, runtime })),
  bars: [
    { of: "weir-node", against: "ws-node", figure: "efficiency", bound: 0.9 },
    { of: "weir-deno", against: "ws-deno", figure: "efficiency", bound: 0.9 },
    { of: "weir-bun", against: "serve-bun", figure: "efficiency", bound: 0.9 },
  ],
  open,
};

function open({ name }: Contender, bench: Bench): Promise<Contest> {
  const connections = bench.quick ? 1500 : 4000;
  return openContest({
    spec: specs[name],
    prepare: () => Promise.resolve(),
    round: async (crowd) => measurementOf(await crowd.churn(connections, 64)),
  }, bench);
}
