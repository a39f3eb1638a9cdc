/** Fan-out to streams of server-sent events, beside WebSockets of the same server. */
import type { Bar, Contender, Scenario } from "../scenario.ts";
import { runtimes, weir } from "./programs.ts";
import { type Dialect, openRoom, weirDialect } from "./room.ts";

const members = 1000;
const window = 16;
/** A delivery to a stream costs at most this much of one to a WebSocket. */
const bounds = { node: 2.5, deno: 2.5, bun: 2 } as const;

const streamDialect: Dialect = {
  path: "sse:/events?room=r",
  senderPath: "/ws",
  frame: weirDialect.frame,
  copy: weirDialect.copy,
};

const contenders = runtimes.flatMap((runtime): Contender[] => [
  { name: `weir-${runtime}`, runtime },
  { name: `weir-${runtime}-sse`, runtime },
]);

const bars: readonly Bar[] = runtimes.map((runtime) => ({
  of: `weir-${runtime}-sse`,
  against: `weir-${runtime}`,
  figure: "growth",
  bound: bounds[runtime as keyof typeof bounds],
}));

/** With 16 messages outstanding. */
export const scenario: Scenario = {
  name: "streams-16",
  title: `SSE fan-out to a room of ${members}, ${window} outstanding`,
  about: `One client sends messages of 100 bytes to a room of ${members}, at most ${window} ` +
    "outstanding. The members have WebSockets, or streams of server-sent events. They compare what " +
    "they receive, byte for byte and in order.",
  unit: "µs CPU a delivery",
  contenders,
  bars,
  open({ name, runtime }, bench) {
    const spec = weir(runtime!, "bench/configs/streams");
    const dialect = name.endsWith("-sse") ? streamDialect : weirDialect;
    return openRoom({ spec, dialect, members, window }, bench);
  },
};
