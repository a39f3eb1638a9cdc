/** A service of two instances and of one: what the backplane between them costs. */
import { Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import { treeOf } from "../processes.ts";
import type { Bar, Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { Server, type ServerSpec } from "../servers.ts";
import { openBroker, type TestBroker } from "./broker-servers.ts";
import { runtimes, weir } from "./programs.ts";
import { dataOf, weirDialect } from "./room.ts";

const members = 1000;
const window = 16;
const brokers = ["redis", "nats", "rabbitmq"] as const;
type Broker = typeof brokers[number];

/** A contender: how many instances, and what links them; nothing links one. */
interface Participant extends Contender {
  readonly broker: Broker | undefined;
}

function participants(all: readonly (Broker | undefined)[]): readonly Participant[] {
  return runtimes.flatMap((runtime) =>
    all.map((broker) => ({ name: `${broker ?? "alone"}-${runtime}`, runtime, broker }))
  );
}

const fanning = participants([undefined, ...brokers]);
const passing = participants(brokers);
const connecting = participants([undefined, ...brokers]);

/** Two instances with a room that both have, one message at a time, and users that connect. */
export const scenarios: readonly Scenario[] = [
  {
    name: "instances",
    title: "A room on two instances, and on one",
    about: `A room of ${members}, half of it on each of two instances; one client sends, ` +
      `${window} messages outstanding. CPU time of both instances together; the broker has its own. ` +
      "`alone` is one instance without a backplane.",
    unit: "µs CPU a delivery",
    contenders: fanning,
    bars: fanning.flatMap(({ name, runtime, broker }): Bar[] =>
      broker === undefined
        ? []
        : [{ of: name, against: `alone-${runtime}`, figure: "growth", bound: 1.15 }]
    ),
    open: ({ name }, bench) => openRoom(fanning.find((one) => one.name === name)!, bench),
  },
  {
    name: "instances-1",
    title: "From a client of one instance to a client of another",
    about: "One message at a time: from the send to the arrival at a client of the other instance.",
    unit: "µs CPU a message",
    contenders: passing,
    bars: passing.map(({ name }): Bar => ({ of: name, figure: "p50", bound: 2 })),
    open: ({ name }, bench) => openRoom(passing.find((one) => one.name === name)!, bench, true),
  },
  {
    name: "instances-join",
    title: "A join of a room that its instance does not have yet",
    about:
      "One client of two instances joins one room after the other, one at a time: each needs " +
      "a new subscription, and is acknowledged when that is live everywhere.",
    unit: "µs CPU a join",
    contenders: passing,
    bars: passing.map(({ name }): Bar => ({ of: name, figure: "p50", bound: 1 })),
    open: ({ name }, bench) => openJoins(passing.find((one) => one.name === name)!, bench),
  },
  {
    name: "instances-connect",
    title: "Users connect to an instance with a backplane",
    about:
      "10 000 users connect to a fresh instance, 64 at a time, each with a subscription of its " +
      "own; 4000 with RabbitMQ. `alone` is an instance without a backplane.",
    unit: "µs CPU a connection",
    contenders: connecting,
    bars: connecting.flatMap(({ name, runtime, broker }): Bar[] =>
      broker === undefined
        ? []
        : [{ of: name, against: `alone-${runtime}`, figure: "growth", bound: 1.3 }]
    ),
    open: ({ name }, bench) => openUsers(connecting.find((one) => one.name === name)!, bench),
  },
];

/** An instance. Two do not share the core that one has for itself. */
function specOf({ runtime, broker: kind }: Participant, broker?: TestBroker): ServerSpec {
  if (broker === undefined) return weir(runtime!, "bench/fanout", { unpinned: true });
  const env = { ...broker.env, BENCH_DRIVER: kind! };
  return weir(runtime!, "bench/configs/instances", { env, unpinned: true });
}

/** Half of the members on each instance; with `single` one member, on the other instance. */
async function openRoom(
  participant: Participant,
  bench: Bench,
  single = false,
): Promise<Contest> {
  await using stack = new AsyncDisposableStack();
  const { broker: kind } = participant;
  const broker = kind && stack.use(await openBroker(kind));
  const spec = specOf(participant, broker);
  const servers: Server[] = [];
  for (let count = 0; count < (kind === undefined ? 1 : 2); count++) {
    servers.push(stack.use(await Server.start(spec, bench.tools, bench.pinning)));
  }
  const [first] = servers;
  const last = servers[servers.length - 1];
  const { port } = first;
  const crowd = stack.use(await Crowd.start({ port, command: bench.pinning.free }));
  const count = single ? 1 : members;
  if (!single) await crowd.open(count / 2);
  await crowd.use(last.port);
  await crowd.open(single ? 1 : count / 2);
  await crowd.use(port);
  await crowd.open(1);
  const { frame, frames } = weirDialect.join!;
  await crowd.tell({ first: 0, count }, frame, frames);
  for (const server of servers) await crowd.watch(await treeOf(server.pid));
  const data = dataOf(100);
  const fan = {
    first: 0,
    count,
    sender: count,
    window: single ? 1 : window,
    frame: weirDialect.frame(data),
    copy: weirDialect.copy(data),
  };
  const work = (messages: number) => crowd.fan({ ...fan, messages });
  const measure = paced(work, paceOf(bench), 2 * fan.window);
  const running = stack.move();
  return {
    measure: async () => measurementOf(await measure()),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function openJoins(participant: Participant, bench: Bench): Promise<Contest> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await openBroker(participant.broker!));
  const spec = specOf(participant, broker);
  const servers = [
    stack.use(await Server.start(spec, bench.tools, bench.pinning)),
    stack.use(await Server.start(spec, bench.tools, bench.pinning)),
  ];
  const [{ port }] = servers;
  const crowd = stack.use(await Crowd.start({ port, command: bench.pinning.free }));
  await crowd.open(1);
  for (const server of servers) await crowd.watch(await treeOf(server.pid));
  const running = stack.move();
  const answer = '{"type":"ack","id":%n}';
  let round = 0;
  return {
    async measure() {
      const frame = `{"type":"join_room","id":%n,"room":"${++round} %n"}`;
      const each = bench.quick ? 200 : 1000;
      const work = await crowd.ask({ first: 0, count: 1, each, window: 1, frame, answer });
      return measurementOf(work);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** RabbitMQ binds about 1,500 keys a second: of more at once, some would wait for too long. */
function usersOf({ broker }: Participant, { quick }: Bench): number {
  if (quick) return 2_000;
  return broker === "rabbitmq" ? 4_000 : 10_000;
}

async function openUsers(participant: Participant, bench: Bench): Promise<Contest> {
  const users = usersOf(participant, bench);
  await using stack = new AsyncDisposableStack();
  const { broker: kind } = participant;
  const broker = kind && stack.use(await openBroker(kind));
  const spec = specOf(participant, broker);
  const running = stack.move();
  return {
    async measure(): Promise<Measurement> {
      await using server = await Server.start(spec, bench.tools, bench.pinning);
      await using crowd = await Crowd.start({ port: server.port, command: bench.pinning.free });
      await crowd.watch(await treeOf(server.pid));
      const work = await crowd.open(users, "/ws?user_id=u%d");
      // What it has not subscribed yet, it subscribes before it answers.
      const { done } = work;
      const rest = await crowd.tell(
        { first: 0, count: done },
        '{"type":"leave_room","id":1,"room":"x"}',
        1,
      );
      return measurementOf({ ...work, cpu: work.cpu + rest.cpu, seconds: work.seconds });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
