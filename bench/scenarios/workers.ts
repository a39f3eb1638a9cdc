/** Two workers and one: the cost of spreading the members of a room over processes. */
import type { Bar, Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { runtimes, weir } from "./programs.ts";
import { openRoom } from "./room.ts";

const members = 1000;
const window = 16;

/** The scenario. */
export const scenario: Scenario = {
  name: "workers",
  title: "Two workers and one",
  about: `A room of ${members}, ${window} messages outstanding; CPU time of all the ` +
    "server's processes, and how much of it the busiest worker spends. Server and load share all cores, so a second worker can raise the rate " +
    "only where the load leaves it a core.",
  unit: "µs CPU a delivery",
  contenders: runtimes.flatMap((runtime) => [1, 2].map((workers) => contender(runtime, workers))),
  bars: runtimes.flatMap((runtime): Bar[] => {
    const pair = { of: contender(runtime, 2).name, against: contender(runtime, 1).name };
    return [
      { ...pair, figure: "growth", bound: 1.15 },
      { of: pair.of, figure: "share", bound: 0.6 },
      { ...pair, figure: "rate", bound: 1.6, cores: 4 },
    ];
  }),
  open,
};

function open({ runtime, variant }: Contender, bench: Bench): Promise<Contest> {
  const options = variant!.workers === 1 ? [] : ["--workers", String(variant!.workers)];
  const spec = weir(runtime!, "bench/fanout", { options, unpinned: true });
  return openRoom({ spec, members, window, workers: variant!.workers > 1 }, bench);
}

function contender(runtime: "node" | "deno" | "bun", workers: number): Contender {
  return { name: `weir-${runtime}-${workers}`, runtime, variant: { workers } };
}
