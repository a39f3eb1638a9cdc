/** Who is in a room, while clients come and go and instances die: the lists are the truth. */
import assert from "node:assert/strict";
import { Known, type PresenceFrame } from "../../support/presence.ts";
import {
  type Instance,
  type InstancesOfService,
  type Member,
  statusOf,
} from "../../support/instances.ts";
import { type Random, seeded } from "../../support/random.ts";
import { pause, until } from "../../support/socket-probe.ts";

/** The rooms of the service. In the second one there is time to come back on the busiest machine. */
export const PRESENCE_ROOMS = `
  room "doc:{id}" {
    presence {
      leave_grace = "3s"
    }
  }
  room "calm:{id}" {
    presence {
      leave_grace = "60s"
    }
  }
  room "*" {
  }
`;

/** How long and how much. */
export interface PresenceOptions {
  readonly seed: number;
  /** In milliseconds. */
  readonly duration: number;
  readonly users: number;
  /** Things that users do in a second. */
  readonly rate: number;
  /** Milliseconds between two faults. */
  readonly every: number;
}

/** A list is the truth within this time: the grace, and eight seconds of quiet. A busy machine needs more. */
const TRUE_WITHIN = 30_000;

const room = "doc:1";

/** A user with one connection at most. */
interface Person {
  readonly user: string;
  member: Member | undefined;
  inRoom: boolean;
  busy: boolean;
}

/** A client that asks for presence, and asks again elsewhere where its instance has died. */
export class Watcher {
  readonly user: string;
  known = new Known();
  readonly #room: string;
  #member: Member | undefined;
  #read = 0;

  constructor(user: string, room: string) {
    this.user = user;
    this.#room = room;
  }

  async connect(service: InstancesOfService, instance: Instance): Promise<void> {
    const member = await service.connect(instance, { user: this.user });
    const { type } = await member.ask({ type: "join_room", room: this.#room, presence: true });
    if (type !== "ack") return member.leave();
    this.#member = member;
    this.known = new Known();
    this.#read = 0;
  }

  get isConnected(): boolean {
    return this.#member !== undefined && this.#member.ended === undefined;
  }

  /** Hears what has come. */
  hear(): Known {
    const frames = this.#member?.heard.slice(this.#read) ?? [];
    this.#read += frames.length;
    for (const frame of frames) {
      if (frame.type === "presence") this.known.hear(frame as unknown as PresenceFrame);
    }
    return this.known;
  }
}

/** Users that come and go at random, and a watcher for each instance. */
export class Population {
  readonly #service: InstancesOfService;
  /** One that is killed is replaced here. */
  readonly #instances: readonly Instance[];
  readonly #random: Random;
  readonly #people: readonly Person[];
  readonly #watchers: readonly Watcher[];
  readonly #doing = new Set<Promise<void>>();
  #acts = 0;

  constructor(
    service: InstancesOfService,
    instances: readonly Instance[],
    users: number,
    random: Random,
  ) {
    this.#service = service;
    this.#instances = instances;
    this.#random = random;
    this.#people = Array.from(
      { length: users },
      (_, n): Person => ({ user: `user${n}`, member: undefined, inRoom: false, busy: false }),
    );
    this.#watchers = instances.map((_, n) => new Watcher(`watcher${n}`, room));
  }

  /** One of them does something; watchers whose instance has died connect again. */
  async act(): Promise<void> {
    const one = this.#random.pick(this.#people);
    if (!one.busy) {
      this.#acts++;
      const done = act(this.#service, this.#instances, one, this.#random)
        .finally(() => this.#doing.delete(done));
      this.#doing.add(done);
    }
    await reconnect(this.#service, this.#instances, this.#watchers, this.#random);
  }

  /** All faults are over, and all instances are ready: every watcher's list becomes the truth. */
  async judge(): Promise<void> {
    const [service, instances, people] = [this.#service, this.#instances, this.#people];
    const watchers = this.#watchers;
    await Promise.all(this.#doing);
    await until("watchers", async () => {
      await reconnect(service, instances, watchers, this.#random);
      return watchers.every(({ isConnected }) => isConnected);
    });
    const truth = () =>
      people.filter(({ member, inRoom }) => inRoom && member?.ended === undefined)
        .map(({ user }) => user).concat(watchers.map(({ user }) => user)).sort();
    try {
      await until(
        "the truth",
        () => {
          const wanted = truth();
          return watchers.every((one) => same(one.hear(), wanted));
        },
        50,
        TRUE_WITHIN,
      );
      // It stays the truth.
      await pause(1_000);
      for (const one of watchers) assert.deepEqual(one.hear().names, truth());
    } catch (error) {
      for (const one of watchers) console.log(one.user, one.hear().names, one.known.contradictions);
      console.log("truth", truth());
      throw error;
    }
    for (const one of watchers) assert.deepEqual(one.known.contradictions, []);
    // A newcomer of each instance gets the same list.
    for (const [n, instance] of instances.entries()) {
      const late = new Watcher(`late${n}`, room);
      await late.connect(service, instance);
      const isIn = (names: readonly string[]) => truth().every((name) => names.includes(name));
      await until("a newcomer's list", () => isIn(late.hear().names));
    }
    console.log(`presence: ${this.#acts} acts, ${truth().length} members`);
  }
}

/** Users come, go and are cut at random while instances are killed and cut off. */
export async function presenceChaos(
  service: InstancesOfService,
  started: readonly Instance[],
  { seed, duration, users, rate, every }: PresenceOptions,
): Promise<void> {
  console.log(`presence: seed ${seed}`);
  const random = seeded(seed);
  const instances = [...started];
  const population = new Population(service, instances, users, random);
  const deadline = performance.now() + duration;
  let nextFault = performance.now() + every;
  let faults: Promise<void> = Promise.resolve();
  while (performance.now() < deadline) {
    await pause(1_000 / rate);
    if (performance.now() > nextFault) {
      nextFault = performance.now() + every;
      faults = faults.then(() => fault(service, instances, random));
    }
    await population.act();
  }
  await faults;
  for (const one of instances) {
    await until("ready", async () => await statusOf(one, "/health/ready") === 200, 50, 20_000);
  }
  await population.judge();
}

/** Whether just these members are known, each with one connection. */
export function same({ names, members }: Known, wanted: readonly string[]): boolean {
  return JSON.stringify(names) === JSON.stringify(wanted) &&
    [...members.values()].every(({ connections }) => connections === 1);
}

async function reconnect(
  service: InstancesOfService,
  instances: readonly Instance[],
  watchers: readonly Watcher[],
  random: Random,
): Promise<void> {
  for (const one of watchers) {
    if (one.isConnected) {
      one.hear();
      continue;
    }
    try {
      await one.connect(service, random.pick(instances));
    } catch {
      // The instance has just been killed.
    }
  }
}

/** One thing that one user does. */
async function act(
  service: InstancesOfService,
  instances: readonly Instance[],
  one: Person,
  random: Random,
): Promise<void> {
  one.busy = true;
  const what = random.below(10);
  const instance = random.pick(instances);
  try {
    if (one.member === undefined || one.member.ended !== undefined) {
      one.inRoom = false;
      one.member = await service.connect(instance, { user: one.user });
    }
    if (!one.inRoom) {
      one.inRoom = (await one.member.ask({ type: "join_room", room })).type === "ack";
    } else if (what < 4) {
      one.inRoom = false;
      await one.member.ask({ type: "leave_room", room });
    } else if (what < 7) {
      // A reload: it is back at once.
      one.member.leave();
      one.inRoom = false;
      one.member = undefined;
      one.member = await service.connect(instance, { user: one.user });
      one.inRoom = (await one.member.ask({ type: "join_room", room })).type === "ack";
    } else {
      one.member.leave();
      one.inRoom = false;
      one.member = undefined;
    }
  } catch {
    // The instance has just been killed.
  } finally {
    one.busy = false;
  }
}

async function fault(
  service: InstancesOfService,
  instances: Instance[],
  random: Random,
): Promise<void> {
  const place = random.below(instances.length);
  const victim = instances[place];
  switch (random.below(4)) {
    case 0:
    case 1:
      victim.weir.signal("SIGKILL");
      await victim.weir.ended();
      instances[place] = await service.start(victim.runtime);
      break;
    case 2:
      victim.proxy.cut();
      break;
    default:
      victim.weir.signal("SIGTERM");
      await victim.weir.ended();
      instances[place] = await service.start(victim.runtime);
  }
}
