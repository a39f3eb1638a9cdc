/** Random kills, cuts and restarts under clients that join, leave and send: what must hold all the same. */
import assert from "node:assert/strict";
import type { Instance, InstancesOfService, Member } from "../../support/instances.ts";
import { statusOf } from "../../support/instances.ts";
import { type Random, seeded } from "../../support/random.ts";
import { pause, until } from "../../support/socket-probe.ts";
import { HistoryReader } from "./chaos-history.ts";
import { type Connection, FAULTS, judge, listen, type Outage, type Sent } from "./chaos-judge.ts";
import { works } from "./outages.ts";
import { Population } from "./presence.ts";

/** How long and how much. */
export interface ChaosOptions {
  readonly seed: number;
  /** In milliseconds. */
  readonly duration: number;
  readonly clients: number;
  /** Clients that resume in rooms with history; 0 where there can be none. */
  readonly readers: number;
  /** Users that come and go in a room with presence. */
  readonly users: number;
  readonly rooms: number;
  /** Milliseconds between two faults. */
  readonly every: number;
  /** Milliseconds between two things that a client does, at most. */
  readonly pace: number;
}

/**
 * Lets clients talk while instances are killed and cut off and the broker restarts. Then checks that
 * each member has heard each acknowledged message of its time in the room, unless it was told to
 * resync; that nothing came twice; and that each sender's messages came in their order. Clients that
 * resume in rooms with history must have everything but what they were told to be lost, and who
 * watches the members of a room must know the truth in the end.
 */
export async function chaos(
  service: InstancesOfService,
  started: readonly Instance[],
  { seed, duration, clients, readers, users, rooms, every, pace }: ChaosOptions,
): Promise<void> {
  console.log(`chaos: seed ${seed}`);
  const random = seeded(seed);
  const instances = [...started];
  const keptRooms = Array.from({ length: Math.ceil(readers / 2) }, (_, n) => `kept:${n}`);
  const plainRooms = Array.from({ length: rooms }, (_, index) => `room-${index}`);
  const roomNames = [...plainRooms, ...keptRooms];
  const connections: Connection[] = [];
  const sent: Sent[] = [];
  let ends = false;
  const deadline = performance.now() + duration;

  /** One client: it joins, leaves and sends, and comes back where its connection has ended. */
  const live = async (sender: number, choices: Random): Promise<void> => {
    while (!ends) {
      const connection = await connect(choices);
      if (connection === undefined) {
        await pause(100);
        continue;
      }
      while (!ends && connection.member.ended === undefined) {
        await act(sender, connection, choices);
        await pause(20 + choices.below(pace));
      }
      const now = performance.now();
      for (const stay of connection.stays) stay.to = Math.min(stay.to, now);
    }
  };
  const connect = async (choices: Random): Promise<Connection | undefined> => {
    try {
      const place = choices.below(instances.length);
      const member = await service.connect(instances[place]);
      const connection = { member, place, stays: [] };
      connections.push(connection);
      return connection;
    } catch {
      // The instance has just been killed.
      return undefined;
    }
  };
  const act = async (sender: number, { member, stays }: Connection, choices: Random) => {
    const room = choices.pick(roomNames);
    const stay = stays.find((one) => one.room === room && one.to === Infinity);
    if (stay === undefined) {
      const { type } = await member.ask({ type: "join_room", room, resync: true });
      if (type === "ack") stays.push({ room, from: performance.now(), to: Infinity });
    } else if (choices.chance(0.1)) {
      const last = await say(sender, member, room);
      if (last.acked !== undefined && await hears(member, `${sender} ${last.number}`)) {
        stay.certain = last.at;
      }
      stay.to = performance.now();
      await member.ask({ type: "leave_room", room });
    } else await say(sender, member, room);
  };
  const say = async (sender: number, member: Member, room: string): Promise<Sent> => {
    const at = performance.now();
    const message: Sent = { sender, room, number: sent.length, at, acked: undefined };
    sent.push(message);
    const text = `${sender} ${message.number}`;
    const { type } = await member.ask({ type: "say", data: { to: room, text } });
    if (type === "ack") message.acked = performance.now();
    return message;
  };

  const crowd = Array.from(
    { length: clients },
    (_, index) => live(index, seeded(seed * 1000 + index)),
  );
  const readersOfHistory = Array.from(
    { length: readers },
    (_, n) =>
      new HistoryReader(service, instances, keptRooms[n % keptRooms.length], seeded(seed + n)),
  );
  const reading = readersOfHistory.map((reader) => reader.run());
  const population = new Population(service, instances, users, seeded(seed + 7));
  const living = (async () => {
    for (; !ends; await pause(PRESENCE_EVERY)) await population.act();
  })();
  const outages: Outage[] = [];
  while (performance.now() < deadline) {
    await pause(every);
    outages.push(await fault(service, instances, random));
  }
  ends = true;
  await Promise.all([...crowd, living]);
  await Promise.all(
    instances.map((one) =>
      until("ready", async () => await statusOf(one, "/health/ready") === 200, 50, 20_000)
    ),
  );
  const last = await Promise.all(
    instances.map((one) => service.connect(one, { rooms: [roomNames[0]] })),
  );
  await works(last, roomNames[0]);
  try {
    for (const reader of readersOfHistory) await reader.judge(sent);
    for (const reader of readersOfHistory) reader.stop();
    await Promise.all(reading);
    HistoryReader.compare(readersOfHistory);
    await population.judge();
    const toRoom = Map.groupBy(sent, ({ room }) => room);
    const byPlace = Map.groupBy(connections, ({ place }) => place);
    for (const connection of connections) {
      const heard = listen(connection, sent);
      const gaps = (byPlace.get(connection.place) ?? []).flatMap(({ member }) =>
        member.times.filter((_, index) => member.heard[index].type === "resync")
      );
      for (const stay of connection.stays) {
        const messages = toRoom.get(stay.room) ?? [];
        judge(connection, { stay, heard, messages, gaps, outages });
      }
    }
  } catch (error) {
    for (const { from, to, what, place } of outages) {
      console.log(`${Math.round(from)} to ${Math.round(to)}: ${what}, instance ${place}`);
    }
    // Their log has the time of the wall.
    console.log(`now ${Math.round(performance.now())}, ${new Date().toISOString()}`);
    for (const { weir } of instances) console.log(weir.stderr.slice(-LOG));
    throw error;
  }
  const acked = sent.filter((one) => one.acked !== undefined).length;
  const resumed = readersOfHistory.reduce((sum, one) => sum + one.resumed, 0);
  const unrecovered = readersOfHistory.reduce((sum, one) => sum + one.gaps, 0);
  const certain = connections.flatMap(({ stays }) => stays)
    .filter((stay) => stay.certain !== undefined).length;
  console.log(
    `chaos: ${sent.length} messages, ${acked} acked, ${connections.length} connections, ` +
      `${certain} certain leaves, ${resumed} resumed, ${unrecovered} told of a gap`,
  );
  // What fails fails at once, so a part of the number of messages says nothing.
  assert.ok(acked > clients, "it works between the faults");
}

/** Milliseconds between two things that users in the room with presence do. */
const PRESENCE_EVERY = 100;

/** How long a member waits for what it has sent, in milliseconds. */
const HEARD_WITHIN = 2_000;

/** Whether a member hears a text. */
async function hears(member: Member, text: string): Promise<boolean> {
  const deadline = performance.now() + HEARD_WITHIN;
  let read = Math.max(0, member.heard.length - 1_000);
  while (member.ended === undefined && performance.now() < deadline) {
    for (; read < member.heard.length; read++) {
      if ((member.heard[read].data as { readonly text?: string } | undefined)?.text === text) {
        return true;
      }
    }
    await pause(5);
  }
  return false;
}

/** How many characters of the log of each instance are shown where something is missing. */
const LOG = 8_000;

/** One thing goes wrong. */
async function fault(
  service: InstancesOfService,
  instances: Instance[],
  random: Random,
): Promise<Outage> {
  const place = random.below(instances.length);
  const victim = instances[place];
  const what = random.pick(FAULTS);
  const from = performance.now();
  switch (what) {
    case "killed":
      victim.weir.signal("SIGKILL");
      await victim.weir.ended();
      instances[place] = await service.start(victim.runtime);
      break;
    case "cut":
      victim.proxy.cut();
      break;
    case "stalled":
      victim.proxy.stall();
      await pause(random.below(4_000));
      victim.proxy.resume();
      break;
    case "cut and refused":
      victim.proxy.refuse();
      victim.proxy.cut();
      await pause(random.below(3_000));
      await victim.proxy.accept();
      break;
    case "the broker restarts":
      await service.broker.restart();
  }
  return { what, place, from, to: performance.now() };
}
