/** One room of many sizes: Weir must not grow with the room much more than the floor does. */
import type { Tool } from "../../tests/support/toolchain.ts";
import type { Bench, Contender, Contest, Pair, Scenario } from "../scenario.ts";
import { floor, runtimes, weir } from "./programs.ts";
import { openRoom } from "./room.ts";

const sizes = [10, 100, 1_000, 10_000];
const window = 4;

/** Weir on each runtime and the floor, in rooms of each size. */
export const scenario: Scenario = {
  name: "rooms",
  title: "One room of 10 to 10 000 members",
  about:
    `One client sends to the room, ${window} messages outstanding, and every member compares ` +
    "what it receives. Rounds take about the same time in rooms of every size. The kernel's own " +
    "cost grows with the number of sockets: so Weir's growth is divided by the floor's.",
  unit: "µs CPU a delivery",
  contenders: [...runtimes, undefined].flatMap((runtime) =>
    sizes.map((members): Contender => ({
      name: nameOf(runtime, members),
      runtime,
      variant: { members },
    }))
  ),
  bars: runtimes.map((runtime) => ({
    ...pairOf(runtime),
    figure: "growth",
    bound: 1.15,
    beside: pairOf(undefined),
  })),
  rounds: 3,
  open,
};

function nameOf(runtime: Tool | undefined, members: number): string {
  return runtime === undefined ? `floor-${members}` : `weir-${runtime}-${members}`;
}

function pairOf(runtime: Tool | undefined): Pair {
  return { of: nameOf(runtime, 10_000), against: nameOf(runtime, 1_000) };
}

function open({ runtime, variant }: Contender, bench: Bench): Promise<Contest> {
  const spec = runtime === undefined ? floor : weir(runtime, "bench/fanout");
  return openRoom({ spec, members: variant!.members, window }, bench);
}
