/** Fan-out to one room, beside what people use for it without Weir. */
import type { Bar, Contender, Scenario } from "../scenario.ts";
import type { ServerSpec } from "../servers.ts";
import { mosquitto, mqttDialect, nchan, nchanDialect, nchanModule } from "./others.ts";
import { baseline, floor, missingPeer, missingProgram, peer, weir } from "./programs.ts";
import { type Dialect, openRoom, weirDialect } from "./room.ts";

const members = 1000;

/** A contender: its program, and how clients talk to it. */
interface Participant extends Contender {
  readonly spec: ServerSpec;
  readonly dialect: Dialect;
}

const socketioDialect: Dialect = {
  path: "/socket.io/?EIO=4&transport=websocket",
  protocol: "engine.io",
  // engine.io's greeting, and the answer to the request for the default namespace.
  greeting: { frame: "40", frames: 2 },
  join: { frame: '420["join"]', frames: 1 },
  frame: (data) => `42["message",${data}]`,
  copy: (data) => `42["message",${data}]`,
};

const participants: readonly Participant[] = [
  json("floor", floor),
  json("ws-node", baseline("node", "node-ws.ts")),
  json("weir-node", weir("node", "bench/fanout")),
  {
    ...json("socketio-node", peer("socketio-room.js")),
    dialect: socketioDialect,
    missing: () => missingPeer("socket.io"),
  },
  { ...json("crossws-node", peer("crossws-room.js")), missing: () => missingPeer("crossws") },
  json("ws-deno", baseline("deno", "deno-ws.ts")),
  json("upgrade-deno", baseline("deno", "deno-native.ts")),
  json("weir-deno", weir("deno", "bench/fanout")),
  json("publish-bun", baseline("bun", "bun-publish.ts")),
  json("weir-bun", weir("bun", "bench/fanout")),
  {
    name: "nchan",
    runtime: undefined,
    spec: nchan,
    dialect: nchanDialect,
    missing: () => missingProgram("nginx", "libnginx-mod-nchan", nchanModule),
  },
  {
    name: "mosquitto",
    runtime: undefined,
    spec: mosquitto,
    dialect: mqttDialect,
    missing: () => missingProgram("mosquitto", "mosquitto"),
  },
];

/** A ratio of the costs of two contenders. */
export type FanoutBar = Bar & { readonly against: string };

/** What each must reach, by the number of messages outstanding. */
export const fanoutBars: Readonly<Record<number, readonly FanoutBar[]>> = {
  16: [
    ...["weir-node", "weir-deno"].flatMap((of) => [
      efficiency(of, "socketio-node", 10),
      efficiency(of, "ws-node", 10),
    ]),
    ...["weir-node", "weir-deno", "weir-bun"].map((of) => efficiency(of, "publish-bun", 1)),
  ],
  4: [
    ...["weir-node", "weir-deno"].flatMap((of) => [
      efficiency(of, "socketio-node", 3.5),
      efficiency(of, "ws-node", 3.5),
    ]),
    efficiency("weir-bun", "publish-bun", 1),
  ],
  1: [
    efficiency("weir-node", "socketio-node", 1.1),
    efficiency("weir-node", "ws-node", 1.1),
    efficiency("weir-deno", "ws-deno", 1),
    efficiency("weir-deno", "upgrade-deno", 0.9),
    efficiency("weir-bun", "publish-bun", 0.95),
  ],
};

/** With 16, 4 and 1 messages outstanding. */
export const scenarios: readonly Scenario[] = [16, 4, 1].map((window): Scenario => ({
  name: `fanout-${window}`,
  title: `Fan-out to a room of ${members}, ${window} outstanding`,
  about: `One client sends messages of 100 bytes to a room of ${members}, at most ${window} ` +
    "outstanding. Every member compares what it receives, byte for byte and in order. nchan and " +
    "Mosquitto (QoS 0) pass the bytes on as they are; the floor cuts the data out of the frame; the " +
    "others parse JSON and write it anew.",
  unit: "µs CPU a delivery",
  contenders: participants,
  bars: fanoutBars[window],
  open({ name }, bench) {
    const { spec, dialect } = participants.find((each) => each.name === name)!;
    return openRoom({ spec, dialect, members, window }, bench);
  },
}));

function json(name: string, spec: ServerSpec): Participant {
  return { name, runtime: spec.runtime, spec, dialect: weirDialect };
}

function efficiency(of: string, against: string, bound: number): FanoutBar {
  return { of, against, figure: "efficiency", bound };
}
