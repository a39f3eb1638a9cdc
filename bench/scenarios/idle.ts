/** The memory of a connection on which nothing happens. */
import { Crowd } from "../load/crowd.ts";
import type { Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { Server, type ServerSpec } from "../servers.ts";
import { baseline, weir } from "./programs.ts";

const specs: Readonly<Record<string, ServerSpec>> = {
  "ws-node": baseline("node", "node-echo.ts"),
  "weir-node": weir("node", "bench/fanout"),
  "ws-deno": baseline("deno", "deno-ws-echo.ts"),
  "weir-deno": weir("deno", "bench/fanout"),
  "serve-bun": baseline("bun", "bun-echo.ts"),
  "weir-bun": weir("bun", "bench/fanout"),
};

/** Connections that are opened and closed first, so that what they leave behind is not counted. */
const visitors = 1000;
/** Milliseconds in which the runtime frees what it frees by itself. */
const settle = 2_000;

/** The scenario. */
export const scenario: Scenario = {
  name: "idle",
  title: "Memory of an idle connection",
  about:
    "A fresh server each round, all servers side by side. 1000 connections come and go; then 10 000 " +
    "are opened and stay. Resident heaps and stacks of the process two seconds after that, less the " +
    "same before, through 10 000. No collection is forced on either side: what a runtime holds " +
    "without need counts, and so does what it frees in between. What the kernel holds for sockets " +
    "does not.",
  unit: "bytes a connection",
  together: true,
  rounds: 3,
  contenders: Object.entries(specs).map(([name, { runtime }]) => ({ name, runtime })),
  bars: [
    { of: "weir-node", figure: "cost", bound: 10_240 },
    { of: "weir-deno", figure: "cost", bound: 10_240 },
    { of: "weir-bun", figure: "cost", bound: 3_584 },
  ],
  open,
};

function open({ name }: Contender, bench: Bench): Promise<Contest> {
  const clients = bench.quick ? 2_000 : 10_000;
  let warm = false;
  return Promise.resolve({
    async measure(): Promise<Measurement> {
      await using server = await Server.start(specs[name], bench.tools, bench.pinning);
      // The server of a warm-up is not measured: it only brings the program into the page cache.
      if (warm) return { cost: await growth(server, clients) / clients };
      warm = true;
      return { cost: 0 };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** The bytes that clients add to a server's memory. */
async function growth(server: Server, clients: number): Promise<number> {
  await using crowd = await Crowd.start({ port: server.port });
  await crowd.churn(visitors, 64);
  await sleep(settle);
  const before = await server.memory();
  await crowd.open(clients);
  await sleep(settle);
  return await server.memory() - before;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
