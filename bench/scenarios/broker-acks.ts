/** Messages of a stream through a flow, each acked, beside a bare consumer that acks. */
import type { Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { Server } from "../servers.ts";
import { type BrokerKind, openBroker, type TestBroker } from "./broker-servers.ts";
import { baseline, runtimes, weir } from "./programs.ts";

/** What Weir must reach beside the library alone. */
const BOUND = 0.8;

/** How long a round may take, in milliseconds. */
const PATIENCE = 60_000;

const BODY = '{"id":4711,"text":"The quick brown fox jumps over the lazy dog: one hundred bytes."}';

/** What is consumed. */
interface Work {
  readonly name: string;
  readonly title: string;
  readonly broker: BrokerKind;
}

const works: readonly Work[] = [
  { name: "redis-stream", title: "A stream of Redis", broker: "redis" },
  { name: "jetstream", title: "JetStream", broker: "nats" },
];

/** Each on all runtimes, beside the library alone. */
export const scenarios: readonly Scenario[] = works.map((work) => ({
  name: work.name,
  title: `${work.title}, through a flow and acked`,
  about:
    "Messages are added to the stream as fast as the broker takes them. The server has at most " +
    "10 in hand, runs a flow with one destination for each, and acks it. The bare consumer parses " +
    "each message and acks it. A round ends when the broker has all acks. The broker runs on " +
    "whatever core is free.",
  unit: "µs CPU a message",
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
  { name, broker: kind }: Work,
  contender: Contender,
  bench: Bench,
): Promise<Contest> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await openBroker(kind));
  const runtime = contender.runtime!;
  const { env } = broker;
  const spec = contender.name.startsWith("weir-")
    ? weir(runtime, `bench/configs/${name}`, { env })
    : baseline(runtime, "broker-acks.ts", { env });
  const server = stack.use(await Server.start(spec, bench.tools, bench.pinning));
  const bodies = Array<string>(bench.quick ? 2000 : 10_000).fill(BODY);
  const running = stack.move();
  return {
    measure: () => measure(server, broker, bodies),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function measure(
  server: Server,
  broker: TestBroker,
  bodies: readonly string[],
): Promise<Measurement> {
  const cpu = await server.cpu();
  const began = performance.now();
  await broker.append(bodies);
  while (await broker.unacked() > 0) {
    if (performance.now() - began > PATIENCE) throw new Error("not all messages were acked");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const milliseconds = performance.now() - began;
  const spent = await server.cpu() - cpu;
  return {
    cost: spent * 1e6 / bodies.length,
    rate: bodies.length * 1000 / milliseconds,
    load: spent * 1000 / milliseconds,
  };
}
