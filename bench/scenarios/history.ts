/** Rooms with history: what it costs where nobody asks for it, and what Redis lets through. */
import { Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import { treeOf } from "../processes.ts";
import type { Bar, Bench, Contest, Scenario } from "../scenario.ts";
import { Server } from "../servers.ts";
import type { Tool } from "../../tests/support/toolchain.ts";
import { openBroker } from "./broker-servers.ts";
import { runtimes, weir } from "./programs.ts";
import { dataOf, openRoom, weirDialect } from "./room.ts";

const members = 1000;
/** Of the room over Redis. */
const few = 10;
const window = 256;

/** In memory, and over Redis. */
export const scenarios: readonly Scenario[] = [
  {
    name: "history",
    title: "Fan-out in a room with history that nobody asks for",
    about:
      `One client sends to a room of ${members}, 16 messages outstanding. \`kept\` has a history ` +
      "in memory, `plain` has none.",
    unit: "µs CPU a delivery",
    contenders: runtimes.flatMap((runtime) =>
      ["plain", "kept"].map((kind) => ({ name: `${kind}-${runtime}`, runtime }))
    ),
    bars: runtimes.map((runtime): Bar => ({
      of: `kept-${runtime}`,
      against: `plain-${runtime}`,
      figure: "growth",
      bound: 1.1,
    })),
    open: ({ name, runtime }, bench) => {
      const folder = name.startsWith("kept-") ? "bench/configs/history" : "bench/fanout";
      return openRoom({ spec: weir(runtime!, folder), members, window: 16 }, bench);
    },
  },
  {
    name: "history-redis",
    title: "A room with history over Redis",
    about:
      `One client sends to a room of ${few} on one instance, ${window} messages outstanding. ` +
      "With \`redis\`, each message is appended in Redis, heard with its offset, and delivered. " +
      "\`plain\` is the same service without a history. CPU time of the instance.",
    unit: "µs CPU a delivery",
    contenders: runtimes.flatMap((runtime) =>
      ["plain", "redis"].map((kind) => ({ name: `${kind}-${runtime}`, runtime }))
    ),
    bars: runtimes.flatMap((runtime): Bar[] => [
      { of: `redis-${runtime}`, figure: "rate", bound: 20_000 * few },
      { of: `redis-${runtime}`, against: `plain-${runtime}`, figure: "growth", bound: 1.5 },
    ]),
    open: ({ name, runtime }, bench) => {
      const isPlain = name.startsWith("plain-");
      const folder = isPlain ? "bench/configs/instances" : "bench/configs/history-redis";
      return openOverRedis(runtime!, folder, bench);
    },
  },
];

async function openOverRedis(runtime: Tool, folder: string, bench: Bench): Promise<Contest> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await openBroker("redis"));
  const env = { ...broker.env, BENCH_DRIVER: "redis" };
  const spec = weir(runtime, folder, { env, unpinned: true });
  const server = stack.use(await Server.start(spec, bench.tools, bench.pinning));
  const crowd = stack.use(
    await Crowd.start({ port: server.port, command: bench.pinning.free }),
  );
  await crowd.open(few + 1);
  const { frame, frames } = weirDialect.join!;
  const range = { first: 0, count: few };
  await crowd.tell(range, frame, frames);
  await crowd.watch(await treeOf(server.pid));
  const data = dataOf(100);
  const fan = {
    ...range,
    sender: few,
    window,
    frame: weirDialect.frame(data),
    copy: weirDialect.copy(data),
  };
  const measure = paced((messages) => crowd.fan({ ...fan, messages }), paceOf(bench), 2 * window);
  const running = stack.move();
  return {
    measure: async () => measurementOf(await measure()),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
