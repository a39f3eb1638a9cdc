/** One room of many sizes: a delivery must not cost more because the room is large. */
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { baseline, runtimes, weir } from "./programs.ts";
import { openRoom } from "./room.ts";

const sizes = [10, 100, 1_000, 10_000];
const window = 4;
const plain = "ws-node";

/** The row of the table that is given. */
export const scenario: Scenario = {
  name: "rooms",
  title: "One room of 10 to 10 000 members",
  about:
    `One client sends to the room, ${window} messages on their way at once, and every member ` +
    "compares what it gets. Rounds take about the same time in rooms of every size. A plain " +
    "loop of ws shows what the kernel and its sockets have in it.",
  unit: "µs CPU a delivery",
  contenders: [
    ...runtimes.flatMap((runtime) =>
      sizes.map((members) => ({ name: nameOf(runtime, members), runtime, variant: { members } }))
    ),
    ...[1_000, 10_000].map((members): Contender => ({
      name: `${plain}-${members}`,
      runtime: "node",
      variant: { members },
    })),
  ],
  bars: runtimes.map((runtime) => ({
    of: nameOf(runtime, 10_000),
    against: nameOf(runtime, 1_000),
    figure: "growth",
    bound: 1.3,
  })),
  rounds: 3,
  open,
};

function nameOf(runtime: string, members: number): string {
  return `weir-${runtime}-${members}`;
}

function open({ name, runtime, variant }: Contender, bench: Bench): Promise<Contest> {
  const { members } = variant!;
  const spec = name.startsWith(plain)
    ? baseline("node", "node-ws.ts")
    : weir(runtime!, "bench/fanout");
  return openRoom({ spec, members, window }, bench);
}
