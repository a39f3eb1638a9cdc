/** One room of many sizes: a delivery must not cost more because the room is large. */
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { runtimes, weir } from "./programs.ts";
import { openRoom } from "./room.ts";

const sizes = [10, 100, 1_000, 10_000];
const window = 4;

/** The row of the table that is given. */
export const scenario: Scenario = {
  name: "rooms",
  title: "One room of 10 to 10 000 members",
  about:
    `One client sends to the room, ${window} messages on their way at once, and every member ` +
    "compares what it gets. Rounds take about the same time in rooms of every size.",
  unit: "µs CPU a delivery",
  contenders: runtimes.flatMap((runtime) =>
    sizes.map((members) => ({ name: nameOf(runtime, members), runtime, variant: { members } }))
  ),
  bars: runtimes.map((runtime) => ({
    of: nameOf(runtime, 10_000),
    against: nameOf(runtime, 1_000),
    figure: "growth",
    bound: 1.3,
  })),
  open,
};

function nameOf(runtime: string, members: number): string {
  return `weir-${runtime}-${members}`;
}

function open({ runtime, variant }: Contender, bench: Bench): Promise<Contest> {
  const { members } = variant!;
  return openRoom({ spec: weir(runtime!, "bench/fanout"), members, window }, bench);
}
