/** How the cost of a delivery grows with the size of messages and with their rate. */
import type { Contender, Scenario } from "../scenario.ts";
import { runtimes, weir } from "./programs.ts";
import { dataOf, openRoom, type Room } from "./room.ts";

const members = 100;

/** By size and by rate. */
export const scenarios: readonly Scenario[] = [
  growth({
    name: "message-size",
    title: "Messages of 100 B to 256 KB",
    about: `One client sends to a room of ${members}, four messages outstanding. The size is ` +
      "that of the data of a message, which is JSON, without its envelope.",
    axis: "message size",
    values: [100, 1_024, 16_384, 262_144],
    room: (bytes) => ({ window: 4, data: dataOf(bytes) }),
  }),
  growth({
    name: "message-rate",
    title: "50 to 8000 messages a second",
    about:
      `One client sends messages of 100 bytes to a room of ${members} at an even rate: a server ` +
      "that keeps up handles one at a time. Where the rate of deliveries is below a hundred times " +
      "the rate of messages, the server did not keep up.",
    axis: "messages per second",
    values: [50, 500, 2_000, 8_000],
    room: (rate) => ({ window: 256, rate }),
  }),
];

interface Growth extends Pick<Scenario, "name" | "title" | "about"> {
  /** The name of the chart's axis. */
  readonly axis: string;
  readonly values: readonly number[];
  room(value: number): Pick<Room, "window" | "rate" | "data">;
}

function growth({ name, title, about, axis, values, room }: Growth): Scenario {
  return {
    name,
    title,
    about,
    unit: "µs CPU a delivery",
    contenders: runtimes.flatMap((runtime) =>
      values.map((value): Contender => ({
        name: `weir-${runtime}-${value}`,
        runtime,
        variant: { [axis]: value },
      }))
    ),
    bars: [],
    open: ({ runtime, variant }, bench) =>
      openRoom({
        spec: weir(runtime!, "bench/configs/growth"),
        members,
        ...room(variant![axis]),
      }, bench),
  };
}
