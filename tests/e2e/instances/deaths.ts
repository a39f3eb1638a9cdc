/** Instances end, and instances that are busy. */
import assert from "node:assert/strict";
import type { Instance, InstancesOfService, Member } from "../../support/instances.ts";
import { blocked, statusOf } from "../../support/instances.ts";
import { pause, until } from "../../support/socket-probe.ts";
import { texts, works } from "./outages.ts";

/**
 * Each instance is killed once, under load. The clients of the others hear everything that is sent by
 * those, once and in order. Clients that come back are as before.
 */
export async function killed(
  service: InstancesOfService,
  all: readonly Instance[],
): Promise<void> {
  const instances = [...all];
  for (let index = 0; index < instances.length; index++) {
    const victim = instances[index];
    const others = instances.filter((instance) => instance !== victim);
    const room = crypto.randomUUID();
    const members = await Promise.all(
      others.map((instance) => service.connect(instance, { rooms: [room] })),
    );
    const lost = await service.connect(victim, { rooms: [room] });
    let stopped = false;
    const sent = members.map(() => 0);
    const load = members.map(async (member, place) => {
      while (!stopped) {
        await member.say({ type: "say", data: { to: room, text: `${place} ${sent[place]++}` } });
      }
    });
    await pause(200);
    victim.weir.signal("SIGKILL");
    await until("the end", () => lost.ended !== undefined);
    await pause(1_000);
    const again = await service.connect(others[0], { rooms: [room] });
    await pause(200);
    stopped = true;
    await Promise.all(load);
    await works([...members, again], room);
    for (const member of members) assertWhole(member, sent);
    instances[index] = await service.start(victim.runtime);
  }
  const room = crypto.randomUUID();
  const members = await Promise.all(
    instances.map((instance) => service.connect(instance, { rooms: [room] })),
  );
  await works(members, room);
}

/** Everything that each sender has sent came once and in its order. */
function assertWhole(member: Member, sent: readonly number[]): void {
  for (const [place, count] of sent.entries()) {
    const heard = texts(member).map(String).filter((text) => text.startsWith(`${place} `));
    const expected = Array.from({ length: count }, (_, number) => `${place} ${number}`);
    assert.deepEqual(heard, expected);
  }
}

/** One whose event loop is blocked for four seconds is not dead, and neither are its clients. */
export async function busy(
  service: InstancesOfService,
  instances: readonly Instance[],
): Promise<void> {
  for (const victim of instances) {
    const others = instances.filter((instance) => instance !== victim);
    const room = crypto.randomUUID();
    const member = await service.connect(victim, { rooms: [room], resync: true });
    const sender = await service.connect(others[0], { rooms: [room] });
    let number = 0;
    await blocked(victim, async () => {
      const began = performance.now();
      while (performance.now() - began < 4_000) {
        await sender.say({ type: "say", data: { to: room, text: number++ } });
        await pause(100);
      }
    });
    await works([member, sender], room);
    const heard = texts(member).filter((text) => typeof text === "number");
    assert.deepEqual(heard, Array.from({ length: number }, (_, index) => index));
    assert.equal(member.ended, undefined);
    await until("ready", async () => await statusOf(victim, "/health/ready") === 200);
    // Nobody has declared it dead.
    assert.deepEqual(member.heard.filter(({ type }) => type === "resync"), []);
    // It knows that it was not left out: whom it asks answer at once.
    const { data } = await member.say({ type: "count", data: { to: room, text: "counted" } });
    assert.deepEqual(data, { recipients: 2 });
  }
}
