/** Many clients in many rooms: the cost of a join, of a leave, and of a send to one room among them. */
import { type Crowd, measurementOf, type Work } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import type { Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { openContest } from "./crowd-contest.ts";
import { runtimes, weir } from "./programs.ts";
import { dataOf, weirDialect } from "./room.ts";

const clients = 10_000;
/** Rooms of each client: 100 000 in all where no client shares them. */
const each = 10;
/** Clients in the room that is sent to. */
const members = 10;

const everyone = { first: 0, count: clients };
const ack = '{"type":"ack","id":%n}';
/** Ten rooms that only this client has. */
const ownRooms = "c%d.%n";

/** The ten rooms of each client, by how many there are in all. */
const roomsOf: Readonly<Record<number, string>> = {
  10: "all.%n",
  1_000: "h%h.%n",
  100_000: ownRooms,
};

/** Ten frames in one packet, each answered. */
interface Change {
  readonly name: string;
  readonly title: string;
  /** What is done. */
  readonly about: string;
  /** Measures the change and undoes it. */
  round(crowd: Crowd): Promise<Work>;
}

const changes: readonly Change[] = [{
  name: "many-rooms-join",
  title: "A join among 100 000 rooms",
  about: "each joins ten rooms of others",
  async round(crowd) {
    const work = await change(crowd, "join_room", "c%p.%n");
    await change(crowd, "leave_room", "c%p.%n");
    return work;
  },
}, {
  name: "many-rooms-leave",
  title: "A leave among 100 000 rooms",
  about: "each leaves ten rooms of others",
  async round(crowd) {
    await change(crowd, "join_room", "c%p.%n");
    return await change(crowd, "leave_room", "c%p.%n");
  },
}];

/** Joins, leaves and sends. */
export const scenarios: readonly Scenario[] = [...changes.map(changing), {
  name: "many-rooms-send",
  title: "A send to one room among 10 to 100 000 rooms",
  about:
    `${clients} clients in ten rooms each: all in the same ten, a hundred in the same ten, or ` +
    `each in its own; and ${members} of them in one more, to which one message at a time is sent. "The same" is taken ` +
    "to be growth of at most 1.15.",
  unit: "µs CPU a send to 10 members",
  contenders: runtimes.flatMap((runtime) =>
    Object.keys(roomsOf).map((rooms) => contender(runtime, Number(rooms)))
  ),
  bars: runtimes.map((runtime) => ({
    of: contender(runtime, 100_000).name,
    against: contender(runtime, 10).name,
    figure: "growth",
    bound: 1.15,
  })),
  open: openSend,
}];

function changing({ name, title, about, round }: Change): Scenario {
  return {
    name,
    title,
    about:
      `${clients} clients in ten of 100 000 rooms; ${about}, all ten frames in one packet, each ` +
      "with an id and so with an ack. The cost is all that the server's process spends on a frame: " +
      "its share of the reads and writes, decoding, the change and the ack. The ping is a frame of " +
      "the protocol that changes nothing and runs no flow, sent and answered in the same way: what " +
      "is above it is the change itself.",
    unit: "µs CPU a frame",
    contenders: runtimes.flatMap((runtime) => [
      { name: `weir-${runtime}`, runtime },
      { name: `ping-${runtime}`, runtime },
    ]),
    bars: runtimes.map((runtime) => ({ of: `weir-${runtime}`, figure: "cost", bound: 5 })),
    open: (contender, bench) => openChange(contender, bench, round),
  };
}

function openChange(
  { name, runtime }: Contender,
  bench: Bench,
  round: Change["round"],
): Promise<Contest> {
  return openContest({
    spec: weir(runtime!, "bench/configs/many-rooms"),
    async prepare(crowd) {
      await crowd.open(clients);
      await change(crowd, "join_room", ownRooms);
    },
    round: async (crowd): Promise<Measurement> =>
      measurementOf(await (name.startsWith("ping") ? ping(crowd) : round(crowd))),
  }, bench);
}

function openSend({ runtime, variant }: Contender, bench: Bench): Promise<Contest> {
  const fan = {
    sender: clients,
    first: 0,
    count: members,
    window: 1,
    frame: weirDialect.frame(dataOf(100)),
    copy: `{"type":"message","data":${dataOf(100)},"room":"target"}`,
  };
  let measure: (() => Promise<Work>) | undefined;
  return openContest({
    spec: weir(runtime!, "bench/configs/many-rooms"),
    async prepare(crowd) {
      await crowd.open(clients + 1);
      await change(crowd, "join_room", roomsOf[variant!.rooms]);
      const frame = '{"type":"join_room","id":%n,"room":"target"}';
      await crowd.ask({ first: 0, count: members, each: 1, window: 1, frame, answer: ack });
    },
    async round(crowd) {
      measure ??= paced((messages) => crowd.fan({ ...fan, messages }), paceOf(bench), 100);
      const work = await measure();
      return measurementOf({ ...work, done: work.done / members });
    },
  }, bench);
}

/** Every client sends ten frames at once, and receives ten acks. */
function change(crowd: Crowd, type: "join_room" | "leave_room", room: string): Promise<Work> {
  const frame = `{"type":"${type}","id":%n,"room":"${room}"}`;
  return crowd.ask({ ...everyone, each, window: each, frame, answer: ack });
}

async function ping(crowd: Crowd): Promise<Work> {
  // A connection may send 20 of them a second.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const frame = '{"type":"ping","id":%n}';
  const answer = '{"type":"pong","id":%n}';
  return await crowd.ask({ ...everyone, each, window: each, frame, answer });
}

function contender(runtime: "node" | "deno" | "bun", rooms: number): Contender {
  return { name: `weir-${runtime}-${rooms}`, runtime, variant: { rooms } };
}
