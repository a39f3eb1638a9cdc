/** A broker's messages to every client, and the same by a bare consumer with a plain loop. */
import { measurementOf } from "../load/crowd.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { type BrokerKind, openBroker } from "./broker-servers.ts";
import { openContest } from "./crowd-contest.ts";
import { baseline, runtimes, weir } from "./programs.ts";

const clients = 100;

/** What is consumed, and what Weir must reach beside the loop. */
interface Work {
  readonly name: BrokerKind;
  readonly title: string;
  readonly about: string;
  readonly library: string;
  readonly bound: number;
}

const works: readonly Work[] = [
  {
    name: "rabbitmq",
    title: "RabbitMQ",
    about: "The server consumes with prefetch 10 and an ack for each message.",
    library: "rabbitmq-client",
    bound: 0.8,
  },
  {
    name: "nats",
    title: "NATS",
    about: "The server subscribes to the subject (core NATS).",
    library: "@nats-io/transport-node",
    bound: 2,
  },
  {
    name: "redis",
    title: "A channel of Redis",
    about: "The server subscribes to the channel.",
    library: "@redis/client",
    bound: 2,
  },
  {
    name: "mqtt",
    title: "MQTT",
    about: "The server subscribes to the topic with QoS 0.",
    library: "mqtt",
    bound: 2,
  },
];

/** Each broker on all runtimes, beside the library alone. */
export const scenarios: readonly Scenario[] = works.map((work) => ({
  name: work.name,
  title: `${work.title} to ${clients} clients`,
  about:
    `Messages are published as fast as the broker takes them. ${work.about} It sends each to ` +
    `${clients} clients, which compare what they get. The bare consumer is ${work.library}, as in ` +
    "Weir, with a loop of `ws` on Node and Deno and of Bun's own sockets on Bun. The broker runs on " +
    "whatever core is free.",
  unit: "µs CPU a delivery",
  contenders: runtimes.flatMap((runtime) =>
    ["loop", "weir"].map((kind) => ({ name: `${kind}-${runtime}`, runtime }))
  ),
  bars: runtimes.map((runtime) => ({
    of: `weir-${runtime}`,
    against: `loop-${runtime}`,
    figure: "efficiency",
    bound: work.bound,
  })),
  open: (contender, bench) => open(work, contender, bench),
}));

async function open({ name: kind }: Work, contender: Contender, bench: Bench): Promise<Contest> {
  const messages = bench.quick ? 500 : 2000;
  const bodies = Array.from({ length: messages }, (_, n) => bodyOf(String(n)));
  const broker = await openBroker(kind);
  const { env } = broker;
  const runtime = contender.runtime!;
  const spec = contender.name.startsWith("weir-")
    ? weir(runtime, `bench/configs/${kind}`, { env })
    : baseline(runtime, `${runtime}-broker.ts`, { env });
  return await openContest({
    spec,
    prepare: (crowd) => crowd.open(clients),
    round: async (crowd) =>
      measurementOf(
        await crowd.hear({
          first: 0,
          count: clients,
          messages,
          copy: `{"type":"message","data":${bodyOf("%n")}}`,
          send: () => broker.publish(bodies),
        }),
      ),
    also: broker,
  }, bench);
}

function bodyOf(n: string): string {
  return `{"n":${n},"text":"The quick brown fox jumps over the lazy dog: one hundred bytes of news."}`;
}
