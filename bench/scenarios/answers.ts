/** Messages that a broker confirms, and questions that an API answers, beside the library alone. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { type BrokerKind, openBroker } from "./broker-servers.ts";
import { openContest } from "./crowd-contest.ts";
import { baseline, runtimes, weir } from "./programs.ts";

const clients = 50;

/** What Weir must reach beside the library alone. */
const BOUND = 0.8;

/** What is asked of the server. */
interface Work {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** The program of `bench/baselines` that answers. */
  readonly answers: "broker" | "http";
  readonly frame: string;
  readonly answer: string;
  /** What the server needs. */
  open(): Promise<AsyncDisposable & { readonly env: Readonly<Record<string, string>> }>;
}

const works: readonly Work[] = [
  published("rabbitmq", "RabbitMQ", "a publisher with confirms"),
  published("redis", "A stream of Redis", "`XADD` with `MAXLEN ~`"),
  published("nats", "JetStream", "a publish that waits for the stream"),
  published("mqtt", "MQTT", "a publish with QoS 1"),
  {
    name: "http",
    title: "An API for each question",
    about:
      "A step asks an HTTP server of the benchmark for one item, and the response has two of " +
      "its fields. The loop does the same with plain `fetch`.",
    answers: "http",
    frame: '{"type":"read","id":%n,"data":{"id":711}}',
    answer: '{"type":"ack","id":%n,"data":{"name":"item 711","price":2133}}',
    open: openApi,
  },
];

function published(kind: BrokerKind, title: string, how: string): Work {
  const data =
    '{"id":4711,"text":"The quick brown fox jumps over the lazy dog: one hundred bytes."}';
  return {
    name: `publish-${kind}`,
    title: `${title}: published and confirmed`,
    about: `The ack of a message comes when the broker has confirmed it. The loop does the same ` +
      `with ${how} of the library that Weir uses.`,
    answers: "broker",
    frame: `{"type":"message","id":%n,"data":${data}}`,
    answer: '{"type":"ack","id":%n}',
    open: () => openBroker(kind),
  };
}

/** Each on all runtimes, beside the library alone. */
export const scenarios: readonly Scenario[] = works.map((work) => ({
  name: work.name,
  title: work.title,
  about: `${clients} clients, each with one message outstanding. ${work.about} Both read a frame ` +
    "and write an ack for each message.",
  unit: "µs CPU an answer",
  contenders: runtimes.flatMap((runtime) =>
    ["loop", "weir"].map((kind) => ({ name: `${kind}-${runtime}`, runtime }))
  ),
  bars: runtimes.map((runtime) => ({
    of: `weir-${runtime}`,
    against: `loop-${runtime}`,
    figure: "efficiency",
    bound: BOUND,
  })),
  open: (contender, bench) => open(work, contender, bench),
}));

async function open(
  { name, answers, frame, answer, open: openService }: Work,
  contender: Contender,
  bench: Bench,
): Promise<Contest> {
  const service = await openService();
  const runtime = contender.runtime!;
  const env = { ...service.env, BENCH_ANSWERS: answers };
  const spec = contender.name.startsWith("weir-")
    ? weir(runtime, `bench/configs/${name}`, { env })
    : baseline(runtime, `${runtime}-answers.ts`, { env });
  let measure: (() => ReturnType<Crowd["ask"]>) | undefined;
  return await openContest({
    spec,
    prepare: (crowd) => crowd.open(clients),
    async round(crowd) {
      const work = (each: number) =>
        crowd.ask({ first: 0, count: clients, each, window: 1, frame, answer });
      measure ??= paced(work, paceOf(bench), 2);
      return measurementOf(await measure());
    },
    also: service,
  }, bench);
}

/** An API that answers at once. */
async function openApi() {
  const server = createServer((request, response) => {
    const id = Number(request.url?.split("/").at(-1));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ id, name: `item ${id}`, price: 3 * id }));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: { BENCH_API: `http://127.0.0.1:${port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
