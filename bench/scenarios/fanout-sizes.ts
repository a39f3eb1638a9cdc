/** Fan-out to rooms and with messages of other sizes than those of `fanout`. */
import type { Bar, Contender, Scenario } from "../scenario.ts";
import type { ServerSpec } from "../servers.ts";
import { type FanoutBar, fanoutBars } from "./fanout.ts";
import { baseline, floor, weir } from "./programs.ts";
import { dataOf, openRoom } from "./room.ts";

/** A room and the data that is sent to it. */
interface Point {
  readonly members: number;
  /** Of the data of a message, which is JSON. */
  readonly bytes: number;
}

const points: Readonly<Record<string, Point>> = {
  "100-members": { members: 100, bytes: 100 },
  "10000-members": { members: 10_000, bytes: 100 },
  "1KB": { members: 1_000, bytes: 1_024 },
  "16KB": { members: 1_000, bytes: 16_384 },
};

const specs: Readonly<Record<string, ServerSpec>> = {
  floor,
  "ws-node": baseline("node", "node-ws.ts"),
  "weir-node": weir("node", "bench/fanout"),
  "ws-deno": baseline("deno", "deno-ws.ts"),
  "upgrade-deno": baseline("deno", "deno-native.ts"),
  "weir-deno": weir("deno", "bench/fanout"),
  "publish-bun": baseline("bun", "bun-publish.ts"),
  "weir-bun": weir("bun", "bench/fanout"),
};

/** With 16, 4 and 1 messages outstanding. */
export const scenarios: readonly Scenario[] = [16, 4, 1].map((window): Scenario => {
  const bars = Object.entries(points).flatMap(([point, { bytes }]) =>
    fanoutBars[window].filter((bar) => applies(bar, bytes)).map((bar): Bar => ({
      ...bar,
      of: `${bar.of}-${point}`,
      against: `${bar.against}-${point}`,
    }))
  );
  const compared = new Set(bars.flatMap(({ of, against }) => [of, against]));
  const contenders = Object.keys(points).flatMap((point) =>
    Object.keys(specs).map((program) => contender(program, point))
      .filter(({ name }) => name.startsWith("floor") || compared.has(name))
  );
  return {
    name: `fanout-sizes-${window}`,
    title: `Fan-out at other sizes, ${window} outstanding`,
    about: `The same as \`fanout-${window}\`, with rooms of 100 and of 10 000 members, and with ` +
      "messages of 1 KB and of 16 KB to 1000 members. The bars are those of that scenario. " +
      "Multiples of a loop of `ws` are not asked for with 16 KB: the kernel copies them for each " +
      "delivery, so that even the floor is only 3 to 4 times as efficient as that loop.",
    unit: "µs CPU a delivery",
    contenders,
    bars,
    rounds: 3,
    open({ name, variant }, bench) {
      const spec = specs[Object.keys(specs).find((program) => name.startsWith(`${program}-`))!];
      const { members, bytes } = variant!;
      return openRoom({ spec, members, window, data: dataOf(bytes) }, bench);
    },
  };
});

function contender(program: string, point: string): Contender {
  return {
    name: `${program}-${point}`,
    runtime: specs[program].runtime,
    variant: { ...points[point] },
  };
}

/** A multiple above 2 comes from joined writes, which save calls and no copies. */
function applies({ against, bound }: FanoutBar, bytes: number): boolean {
  return against !== "socketio-node" && (bound <= 2 || bytes < 16_384);
}
