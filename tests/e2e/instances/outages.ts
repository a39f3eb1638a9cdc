/** The backplane is away: for one instance, or for all. */
import assert from "node:assert/strict";
import {
  type Instance,
  type InstancesOfService,
  type Member,
  statusOf,
} from "../../support/instances.ts";
import { pause, until } from "../../support/socket-probe.ts";

/** How long the backplane is away, in milliseconds. */
const AWAY = 10_000;
/** A send fails after two seconds; the rest is for a busy machine. */
const FAILS_WITHIN = 4_000;

/** The link of one instance. */
export interface Fault {
  begin(instance: Instance): void | Promise<void>;
  end(instance: Instance): Promise<void>;
}

/** Its connections are cut, and no new one is taken. */
export const cut: Fault = {
  begin({ proxy }) {
    proxy.refuse();
    proxy.cut();
  },
  end: ({ proxy }) => proxy.accept(),
};

/** Nothing passes, and nothing ends. */
export const stall: Fault = {
  begin: ({ proxy }) => proxy.stall(),
  end({ proxy }) {
    proxy.resume();
    return Promise.resolve();
  },
};

/**
 * One instance is without its backplane for ten seconds. What its clients send to others fails and
 * reaches all of those or none; all else goes on. Afterwards all is as before.
 */
export async function oneIsAway(
  service: InstancesOfService,
  instances: readonly Instance[],
  victim: Instance,
  fault: Fault,
): Promise<void> {
  const others = instances.filter((instance) => instance !== victim);
  const room = crypto.randomUUID();
  const rooms = [room];
  const [lonely, local, asked] = await Promise.all([
    service.connect(victim, { rooms, user: "lonely" }),
    service.connect(victim, { rooms }),
    service.connect(victim, { rooms, resync: true }),
  ]);
  const elsewhere = await Promise.all(others.map((one) => service.connect(one, { rooms })));
  const { data } = await local.say({ type: "echo" });
  const id = (data as { readonly id: string }).id;
  assert.equal(await statusOf(victim, "/health/ready"), 200);

  await fault.begin(victim);
  const began = performance.now();
  let number = 0;
  const failed: number[] = [];
  const succeeded: number[] = [];
  while (performance.now() - began < AWAY) {
    const text = number++;
    const asked = performance.now();
    const answer = await lonely.ask({ type: "say", data: { to: room, text } });
    const took = performance.now() - asked;
    if (answer.type === "ack") succeeded.push(text);
    else {
      assert.equal(answer.code, "flow_failed");
      assert.ok(took < FAILS_WITHIN, `it failed after ${took} ms`);
      failed.push(text);
    }
    // Answers, and what is sent to a client of the same instance, need no backplane.
    await lonely.say({ type: "echo" });
    assert.deepEqual(
      (await lonely.say({ type: "whisper", data: { to: id, text: `w${text}` } })).data,
      {
        recipients: 1,
      },
    );
    // The others go on.
    await elsewhere[0].say({ type: "say", data: { to: room, text: `o${text}` } });
    await pause(300);
  }
  assert.ok(failed.length > 0, "nothing failed");
  const refused = await lonely.ask({ type: "join_room", room: crypto.randomUUID() });
  assert.equal(refused.code, "flow_failed", "a room whose subscription cannot be made");
  await lonely.say({ type: "join_room", room });
  assert.equal(await statusOf(victim, "/health/ready"), 503);
  assert.equal(await statusOf(victim, "/health/serving"), 200);
  for (const other of others) assert.equal(await statusOf(other, "/health/ready"), 200);

  await fault.end(victim);
  // An attempt that began before may take five seconds, and the next one begins five seconds later.
  const ready = async () => await statusOf(victim, "/health/ready") === 200;
  await until("ready", ready, 50, 20_000);
  await until("resync", () => resyncs(asked).includes(room));
  assert.deepEqual([...resyncs(lonely), ...resyncs(local)], [], "nobody else asked for resync");
  await works([lonely, local, asked, ...elsewhere], room);
  for (const text of failed) {
    const reached = elsewhere.map((member) => texts(member).includes(text));
    assert.equal(new Set(reached).size, 1, `${text} reached some of the others: ${reached}`);
  }
  for (const member of elsewhere) {
    const heard = texts(member);
    for (const text of succeeded) assert.ok(heard.includes(text), `${text} was lost`);
    for (let text = 0; text < number; text++) assert.ok(heard.includes(`o${text}`), `o${text}`);
    assert.equal(new Set(heard).size, heard.length, "something came twice");
  }
}

/** The broker is started again: all instances connect again, and those that asked are told. */
export async function brokerRestarts(
  service: InstancesOfService,
  instances: readonly Instance[],
  how: "restart" | "kill",
): Promise<void> {
  const room = crypto.randomUUID();
  const members = await Promise.all(
    instances.map((instance) => service.connect(instance, { rooms: [room], resync: true })),
  );
  const plain = await service.connect(instances[0], { rooms: [room], user: "plain" });
  await works([...members, plain], room);
  if (how === "kill") await service.broker.kill();
  else await service.broker.stop();
  const answer = await plain.ask({ type: "say", data: { to: room, text: "lost" } });
  assert.equal(answer.code, "flow_failed");
  await service.broker.start();
  for (const instance of instances) {
    await until("ready", async () => await statusOf(instance, "/health/ready") === 200, 50);
  }
  await until("resync", () => members.every((member) => resyncs(member).includes(room)));
  assert.deepEqual(resyncs(plain), []);
  await works([...members, plain], room);
}

/** Each sends to the room, and all hear it. */
export async function works(members: readonly Member[], room: string): Promise<void> {
  const sent = members.map(() => crypto.randomUUID());
  await Promise.all(
    members.map((member, index) =>
      member.say({ type: "say", data: { to: room, text: sent[index] } })
    ),
  );
  const expected = sent.map((text) => ({ text }));
  await Promise.all(members.map((member) => member.hears(...expected)));
}

/** The texts that a client has heard, in order. */
export function texts(member: Member): unknown[] {
  return member.data.map((one) => (one as { readonly text: unknown }).text);
}

function resyncs(member: Member): unknown[] {
  return member.heard.filter(({ type }) => type === "resync").map(({ room }) => room);
}
