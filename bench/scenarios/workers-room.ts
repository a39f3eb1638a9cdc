/** A room whose sender and members are all on one of two workers: what the other one costs them. */
import { listenersOn } from "../../tests/support/workers.ts";
import { treeOf } from "../processes.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import type { Server } from "../servers.ts";
import { runtimes, weir } from "./programs.ts";
import { openRoom } from "./room.ts";

const members = 100;
const window = 16;
/** How long a worker may take to be replaced, and to listen, in milliseconds. */
const patience = 20_000;

/** The scenario. */
export const scenario: Scenario = {
  name: "workers-room",
  title: "A room on one of two workers",
  about:
    `A room of ${members}, ${window} messages outstanding, sender and members on one worker; ` +
    "CPU time of all the server's processes. The other worker listens to nothing of that room, so " +
    "nothing is sent to it. While the clients connect, it has not begun to listen.",
  unit: "µs CPU a delivery",
  contenders: runtimes.flatMap((runtime) => [1, 2].map((workers) => contender(runtime, workers))),
  bars: runtimes.map((runtime) => ({
    of: contender(runtime, 2).name,
    against: contender(runtime, 1).name,
    figure: "growth",
    bound: 1.05,
  })),
  open,
};

function open({ runtime, variant }: Contender, bench: Bench): Promise<Contest> {
  const several = variant!.workers > 1;
  const options = several ? ["--workers", String(variant!.workers)] : [];
  const spec = weir(runtime!, "bench/fanout", { options, unpinned: true });
  return openRoom({ spec, members, window, ...several ? { around: onOneWorker } : {} }, bench);
}

/** Runs `connect` while only the first of two workers listens. */
async function onOneWorker(server: Server, connect: () => Promise<void>): Promise<void> {
  const [, , second] = await treeOf(server.pid);
  Deno.kill(second, "SIGKILL");
  const replacement = await found(async () =>
    (await treeOf(server.pid)).find((pid, index) => index === 2 && pid !== second)
  );
  // Before it listens: it takes a while to load its code.
  Deno.kill(replacement, "SIGSTOP");
  await connect();
  Deno.kill(replacement, "SIGCONT");
  await found(async () => await listenersOn(replacement, server.port) > 0 || undefined);
}

/** What `look` finds at last. */
async function found<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + patience;
  while (performance.now() < deadline) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("the second worker did not come back in time");
}

function contender(runtime: "node" | "deno" | "bun", workers: number): Contender {
  return { name: `weir-${runtime}-${workers}`, runtime, variant: { workers } };
}
