/** Request and response through a flow, beside a plain server of the same runtime that does the same by hand. */
import { type Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import type { Bar, Bench, Contender, Contest, Scenario } from "../scenario.ts";
import type { ServerSpec } from "../servers.ts";
import { openContest } from "./crowd-contest.ts";
import { baseline, floor, missingPeer, peer, runtimes, weir } from "./programs.ts";

const clients = 100;

const data = '{"id":4711,"customer":"Ada Lovelace","quantity":3,"price":9.5}';
const result = '{"order":4711,"customer":"Ada Lovelace","total":28.5}';
const request = `{"type":"message","id":%n,"data":${data}}`;
const weirAnswer = `{"type":"ack","id":%n,"data":${result}}`;

/** A contender: its program, what a client sends and what it must receive. */
interface Participant extends Contender {
  readonly spec: ServerSpec;
  readonly path?: string;
  readonly frame: string;
  readonly answer: string;
}

const participants: readonly Participant[] = [
  participant("floor", floor),
  participant("ws-node", baseline("node", "node-requests.ts")),
  ...runtimes.map((runtime) =>
    participant(`weir-${runtime}`, weir(runtime, "bench/configs/requests"))
  ),
  participant("ws-deno", baseline("deno", "deno-ws-requests.ts")),
  participant("upgrade-deno", baseline("deno", "deno-native-requests.ts")),
  participant("serve-bun", baseline("bun", "bun-requests.ts")),
  {
    name: "socketio-node",
    runtime: "node",
    missing: () => missingPeer("socket.io"),
    spec: peer("socketio-ack.js"),
    path: "/socket.io/?EIO=4&transport=websocket",
    frame: `42%n["ask",${data}]`,
    answer: `43%n[${result}]`,
  },
];

const bars: readonly Bar[] = [
  { of: "weir-node", against: "ws-node", figure: "efficiency", bound: 0.8 },
  { of: "weir-deno", against: "ws-deno", figure: "efficiency", bound: 0.8 },
  { of: "weir-bun", against: "serve-bun", figure: "efficiency", bound: 0.8 },
  ...runtimes.map((runtime): Bar => ({
    of: `weir-${runtime}`,
    against: "socketio-node",
    figure: "efficiency",
    bound: 1,
  })),
];

/** With one and with eight questions outstanding for each client. */
export const scenarios: readonly Scenario[] = [scenario(1), scenario(8)];

function scenario(window: number): Scenario {
  return {
    name: `requests-${window}`,
    title: `Request and response, ${window} outstanding`,
    about:
      `${clients} clients, each with ${
        window === 1 ? "one question" : `${window} questions`
      } outstanding. Weir's flow makes three fields of the question and answers with them; the ` +
      "plain servers do the same by hand, with JSON.parse and JSON.stringify, and Socket.IO's " +
      "handler answers with the same three fields. The floor looks for the fields in the text. A " +
      "client that reads several answers at once sends as many questions at once. Every answer is compared.",
    unit: "µs CPU an answer",
    contenders: participants,
    bars,
    open: (contender, bench) => open(contender, bench, window),
  };
}

function open({ name }: Contender, bench: Bench, window: number): Promise<Contest> {
  const participant = participants.find((each) => each.name === name)!;
  return openQuestions({ ...participant, window }, bench);
}

/** A server that answers questions, by default those of Weir's `bench/configs/requests`. */
export function openQuestions(
  { spec, path, frame = request, answer = weirAnswer, window }:
    & Pick<Participant, "spec">
    & Partial<Pick<Participant, "path" | "frame" | "answer">>
    & { readonly window: number },
  bench: Bench,
): Promise<Contest> {
  const all = { first: 0, count: clients };
  let measure: (() => ReturnType<Crowd["ask"]>) | undefined;
  return openContest({
    spec,
    ...path === undefined ? {} : { protocol: "engine.io" },
    async prepare(crowd) {
      await crowd.open(clients, path);
      // engine.io's greeting, and the answer to the request for the default namespace.
      if (path !== undefined) await crowd.tell(all, "40", 2);
    },
    async round(crowd) {
      const work = (each: number) => crowd.ask({ ...all, each, window, frame, answer });
      measure ??= paced(work, paceOf(bench), 2 * window);
      return measurementOf(await measure());
    },
  }, bench);
}

function participant(name: string, spec: ServerSpec): Participant {
  return { name, runtime: spec.runtime, spec, frame: request, answer: weirAnswer };
}
