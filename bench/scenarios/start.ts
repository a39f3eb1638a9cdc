/** The time from the command to ready, for the chat example. */
import type { Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { Server } from "../servers.ts";
import { runtimes, weir } from "./programs.ts";

/** The scenario. */
export const scenario: Scenario = {
  name: "start",
  title: "Start to ready, chat example",
  about: "Wall time from the start of the process to the line that says it is ready: runtime, " +
    "configuration, migrations of a database in a new file, listening. A fresh process each round, " +
    "on any core, as people start it, with its files in the page cache; then it is ended with " +
    "SIGTERM. A first start finds an empty cache of Weir's, the others find it filled.",
  unit: "ms to ready",
  contenders: runtimes.flatMap((runtime) => [
    { name: `weir-${runtime}`, runtime },
    { name: `weir-${runtime}-first`, runtime, variant: { first: 1 } },
  ]),
  bars: runtimes.flatMap((runtime) =>
    [`weir-${runtime}`, `weir-${runtime}-first`].map((of) => ({ of, figure: "cost", bound: 400 }))
  ),
  open,
};

async function open({ runtime, variant }: Contender, bench: Bench): Promise<Contest> {
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
  let round = 0;
  return {
    async measure(): Promise<Measurement> {
      round++;
      const cache = variant?.first === undefined ? "cache" : `cache-${round}`;
      const spec = weir(runtime!, "examples/chat", {
        options: ["--port", "ws=0"],
        env: { CHAT_DB: `${folder}/${round}.db`, WEIR_CACHE: `${folder}/${cache}` },
        unpinned: true,
      });
      const began = performance.now();
      await using server = await Server.start(spec, bench.tools, bench.pinning);
      const cost = performance.now() - began;
      return { cost, load: 1000 * await server.cpu() / cost };
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
