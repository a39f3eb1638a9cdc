/** Rooms with history: instances are killed, cut off and stalled, and the broker restarts. */
import assert from "node:assert/strict";
import {
  type Instance,
  type InstancesOfService,
  type Member,
  statusOf,
} from "../../support/instances.ts";
import { pause, until } from "../../support/socket-probe.ts";
import type { Fault } from "./outages.ts";

/** Rooms that keep what is sent to them. */
export const KEPT_ROOM = `
  room "kept:*" {
    history {
      size = 10000
      ttl  = "10m"
    }
  }
`;

/** The same, and a flow whose messages have an id. */
export const kept = {
  rooms: `
    ${KEPT_ROOM}
    room "*" {
    }
  `,
  blocks: `
    flow "number" {
      from {
        connector = "ws"
        operation = "number"
      }
      to {
        connector  = "ws"
        operation  = "send_to_room"
        target     = "input.to"
        message_id = "string(input.n)"
        transform {
          n = "input.n"
        }
      }
    }
  `,
};

/** How many messages a sender has on their way at once. */
const AT_ONCE = 25;

interface Place {
  readonly epoch: unknown;
  readonly offset: number;
}

/** A client that comes back whenever its connection has ended, at another instance. */
class Reader {
  readonly numbers: number[] = [];
  readonly offsets: number[] = [];
  readonly epochs = new Set<unknown>();
  unrecovered = 0;
  resyncs = 0;
  #at: Place | undefined;
  #member: Member | undefined;
  #read = 0;
  #stopped = false;
  readonly #service: InstancesOfService;
  readonly #instances: readonly Instance[];
  readonly #room: string;
  #next: number;

  constructor(
    service: InstancesOfService,
    instances: readonly Instance[],
    room: string,
    first: number,
  ) {
    this.#service = service;
    this.#instances = instances;
    this.#room = room;
    this.#next = first;
  }

  /** Joins, and then reads until it is stopped. Resolves when it has joined. */
  async start(): Promise<void> {
    await this.#join();
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#take();
      if (this.#member?.ended !== undefined) await this.#join();
      await pause(5);
    }
  }

  async #join(): Promise<void> {
    for (let tries = 0; tries < 2_000 && !this.#stopped; tries++) {
      const instance = this.#instances[this.#next++ % this.#instances.length];
      try {
        const member = await this.#service.connect(instance);
        const room = this.#room;
        const answer = await member.ask({ type: "join_room", room, history: this.#at ?? true });
        if (answer.type !== "ack") throw new Error(JSON.stringify(answer));
        if (answer.recovered === false) this.unrecovered++;
        this.#at = { epoch: answer.epoch, offset: answer.offset as number };
        this.epochs.add(answer.epoch);
        this.#member = member;
        this.#read = 0;
        return;
      } catch {
        await pause(50);
      }
    }
    assert.fail("it cannot come back");
  }

  #take(): void {
    const { heard } = this.#member as Member;
    for (; this.#read < heard.length; this.#read++) {
      const { type, data, offset, epoch = this.#at?.epoch } = heard[this.#read];
      if (type === "resync") this.resyncs++;
      if (type !== "message") continue;
      this.numbers.push((data as { readonly n: number }).n);
      this.offsets.push(offset as number);
      this.epochs.add(epoch);
      this.#at = { epoch, offset: offset as number };
    }
  }
}

/** Sends numbers to a room; one that fails is sent again, at another instance. */
async function send(
  service: InstancesOfService,
  instances: readonly Instance[],
  room: string,
  from: number,
  to: number,
  pace = 0,
): Promise<void> {
  let next = 0;
  let member: Member | undefined;
  for (let n = from; n < to; n += AT_ONCE) {
    let left = Array.from({ length: Math.min(AT_ONCE, to - n) }, (_, index) => n + index);
    for (let tries = 0; left.length > 0; tries++) {
      assert.ok(tries < 2_000, "nothing can be sent");
      try {
        if (member === undefined || member.ended !== undefined) {
          member = await service.connect(instances[next++ % instances.length]);
        }
        const sender = member;
        const answers = await Promise.all(
          left.map((n) => sender.ask({ type: "number", data: { n, to: room } })),
        );
        left = left.filter((_, index) => answers[index].type !== "ack");
      } catch {
        member = undefined;
      }
      if (left.length > 0) await pause(50);
    }
    if (pace > 0) await pause(pace);
  }
}

/** Instances are killed again and again: clients that come back lose nothing and get nothing twice. */
export async function killedAgainAndAgain(
  service: InstancesOfService,
  all: readonly Instance[],
): Promise<void> {
  const instances = [...all];
  const room = `kept:${crypto.randomUUID()}`;
  const readers = [0, 1, 2, 3, 4, 5].map((first) => new Reader(service, instances, room, first));
  await Promise.all(readers.map((reader) => reader.start()));
  const total = 10_000;
  let [sent, kills] = [false, 0];
  const sending = send(service, instances, room, 0, total, 15).finally(() => sent = true);
  for (let index = 0; !sent || kills < 4; index = (index + 1) % instances.length) {
    await pause(500);
    instances[index].weir.signal("SIGKILL");
    kills++;
    instances[index] = await service.start(instances[index].runtime);
  }
  await sending;
  const isWhole = () => readers.every(({ numbers }) => numbers.length >= total);
  await until("all numbers", isWhole, 50);
  for (const reader of readers) {
    reader.stop();
    const { numbers, offsets, unrecovered, resyncs, epochs } = reader;
    assert.deepEqual([numbers.length, unrecovered, resyncs, epochs.size], [total, 0, 0, 1]);
    assert.deepEqual([...new Set(numbers)].length, total, "something came twice");
    assert.deepEqual(numbers, readers[0].numbers, "two clients have heard different orders");
    assert.ok(offsets.every((offset, index) => offset === index + 1), "offsets have a hole");
  }
}

/** One instance is without its backplane for some time. All its members then have everything. */
export async function catchesUp(
  service: InstancesOfService,
  instances: readonly Instance[],
  victim: Instance,
  fault: Fault,
): Promise<void> {
  const room = `kept:${crypto.randomUUID()}`;
  const others = instances.filter((instance) => instance !== victim);
  const [reader, other] = [[victim], [others[0]]].map((of) => new Reader(service, of, room, 0));
  await Promise.all([reader.start(), other.start()]);
  const plain = await service.connect(victim, { rooms: [room] });
  await send(service, others, room, 0, 50);
  await fault.begin(victim);
  await send(service, others, room, 50, 500, 100);
  const failed = await plain.ask({ type: "number", data: { n: 500, to: room } });
  assert.equal(failed.code, "flow_failed");
  await fault.end(victim);
  await until("ready", async () => await statusOf(victim, "/health/ready") === 200, 50);
  await send(service, [victim, ...others], room, 500, 550);
  const numbers = () => plain.data.map((data) => (data as { readonly n: number }).n);
  const isWhole = () =>
    [reader.numbers, other.numbers, numbers()].every(({ length }) => length >= 550);
  await until("all numbers", isWhole, 50);
  for (const heard of [reader.numbers, numbers()]) {
    assert.deepEqual(heard, other.numbers);
    assert.deepEqual([new Set(heard).size, heard.length], [550, 550]);
  }
  assert.deepEqual([reader.resyncs, reader.epochs.size], [0, 1]);
  for (const one of [reader, other]) one.stop();
}

/** The broker has lost all: clients are told, and no place is used twice. */
export async function losesAll(
  service: InstancesOfService,
  instances: readonly Instance[],
): Promise<void> {
  const room = `kept:${crypto.randomUUID()}`;
  const readers = instances.map((instance) => new Reader(service, [instance], room, 0));
  await Promise.all(readers.map((reader) => reader.start()));
  await send(service, instances, room, 0, 30);
  await until("all", () => readers.every(({ numbers }) => numbers.length === 30), 20);
  const member = await service.connect(instances[0]);
  const { epoch } = await member.say({ type: "join_room", room, history: true });
  await service.broker.kill();
  await service.broker.start();
  for (const instance of instances) {
    await until("ready", async () => await statusOf(instance, "/health/ready") === 200, 50);
  }
  await until("resync", () => readers.every(({ resyncs }) => resyncs > 0), 50);
  const again = await member.say({
    type: "join_room",
    room,
    history: { epoch, offset: 30 },
  });
  assert.equal(again.recovered, false);
  assert.notEqual(again.epoch, epoch);
  await send(service, instances, room, 30, 60);
  await until("all", () => readers.every(({ numbers }) => numbers.length === 60), 50);
  for (const { numbers, epochs, offsets } of readers) {
    assert.deepEqual(new Set(numbers).size, 60);
    assert.deepEqual([...epochs], [epoch, again.epoch]);
    assert.deepEqual(offsets.slice(30), Array.from({ length: 30 }, (_, index) => index + 1));
  }
  for (const reader of readers) reader.stop();
}
