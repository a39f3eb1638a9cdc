/** Clients cannot tell that they are on several instances: what is sent, asked and ordered. */
import assert from "node:assert/strict";
import process from "node:process";
import type { Instance, InstancesOfService, Member } from "../../support/instances.ts";
import { pause, until } from "../../support/socket-probe.ts";

/** How often what may race does so; a soak does it more often. */
const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
const TIMES = long ? 1000 : 150;
/** How many of them at once. */
const AT_ONCE = 10;

/** Everything that one client sends reaches those on other instances as on its own. */
export async function sends(
  service: InstancesOfService,
  instances: readonly Instance[],
): Promise<void> {
  const colors = ["red", "blue", "red"];
  const members = await Promise.all(
    instances.map((instance, index) =>
      service.connect(instance, {
        user: index === 1 ? "bob" : "anna",
        params: { color: colors[index] },
        rooms: index === 1 ? ["hall"] : ["hall", "kitchen"],
      })
    ),
  );
  const [anna, bob, other] = members;
  const { data } = await other.say({ type: "echo" });
  const id = (data as { readonly id: string }).id;
  await anna.say({ type: "say", data: { to: "kitchen", text: 1 } });
  await anna.say({ type: "shout", data: { text: 2 } });
  await anna.say({ type: "write", data: { to: "bob", text: 3 } });
  await anna.say({ type: "write", data: { to: "anna", text: 4 } });
  const whispered = await anna.say({ type: "whisper", data: { to: id, text: 5 } });
  assert.deepEqual(whispered.data, { recipients: 1 });
  await anna.say({ type: "others", data: { to: "hall", text: 6 } });
  await anna.say({ type: "reds", data: { color: "red", text: 7 } });
  const counted = await bob.say({ type: "count", data: { to: "hall", text: 8 } });
  assert.deepEqual(counted.data, { recipients: 3 });
  const nobody = await bob.say({ type: "count", data: { to: "nowhere", text: 9 } });
  assert.deepEqual(nobody.data, { recipients: 0 });
  await anna.say({ type: "shout", data: { text: "end" } });
  const expected = [[1, 2, 4, 7, 8], [2, 3, 6, 8], [1, 2, 4, 5, 6, 7, 8]];
  for (const [index, member] of members.entries()) {
    await member.hears({ text: "end" });
    const texts = member.data.map((one) => (one as { readonly text: unknown }).text);
    // What instances send to one client has no order among them.
    assert.deepEqual(texts.slice(0, -1).sort(), expected[index], `client ${index}`);
  }
}

/** Orders reach all connections of a user, wherever they are, and tell how many. */
export async function orders(
  service: InstancesOfService,
  instances: readonly Instance[],
): Promise<void> {
  const [boss, ...users] = await Promise.all(
    [...instances, instances[0]].map((instance, index) =>
      service.connect(instance, { user: index === 0 ? "boss" : "worker" })
    ),
  );
  // Only then everything for a user reaches it.
  await Promise.all(users.map((user) => user.say({ type: "echo" })));
  const ask = async (type: string, room?: string) => {
    const { data } = await boss.say({ type, data: { user: "worker", room } });
    return (data as { readonly recipients: number }).recipients;
  };
  assert.equal(await ask("invite", "yard"), users.length);
  // Its result is there once the rooms are live.
  await boss.say({ type: "say", data: { to: "yard", text: "in" } });
  await Promise.all(users.map((user) => user.hears({ text: "in" })));
  assert.equal(await ask("expel", "yard"), users.length);
  const { data } = await boss.say({ type: "count", data: { to: "yard", text: "out" } });
  assert.deepEqual(data, { recipients: 0 });
  assert.equal(await ask("kick"), users.length);
  await until("the ends", () => users.every(({ ended }) => ended?.code === 1008));
}

/** Nothing that is sent to a room after the ack of a join is missed. */
export async function joins(
  service: InstancesOfService,
  [first, second, third]: readonly Instance[],
  count: number = TIMES,
): Promise<void> {
  const speaker = await service.connect(first);
  const joiners = await Promise.all([second, third].map((instance) => service.connect(instance)));
  await times(count, async (number) => {
    const room = crypto.randomUUID();
    const joiner = joiners[number % joiners.length];
    await joiner.join(room);
    await speaker.say({ type: "say", data: { to: room, text: number } });
    await joiner.hears({ text: number });
  });
}

/** Nothing that is sent to a user after the answer to its first frame is missed. */
export async function users(
  service: InstancesOfService,
  [first, second, third]: readonly Instance[],
  count: number = TIMES,
): Promise<void> {
  const speaker = await service.connect(first);
  await times(count, async (number) => {
    const user = crypto.randomUUID();
    const member: Member = await service.connect([second, third][number % 2], { user });
    await member.say({ type: "echo" });
    await speaker.say({ type: "write", data: { to: user, text: number } });
    await member.hears({ text: number });
    member.leave();
  });
}

/** An instance subscribes to the rooms of its clients and to no others, and a second after the last leaves. */
export async function subscriptions(
  service: InstancesOfService,
  instances: readonly Instance[],
  count: () => Promise<number>,
): Promise<void> {
  const rooms = long ? 33_000 : 500;
  const before = await count();
  const members = await Promise.all(instances.map((instance) => service.connect(instance)));
  for (let number = 0; number < rooms; number++) {
    await Promise.all(
      members.map((member, index) => member.join(`rooms of ${index}: ${number}`)),
    );
  }
  assert.equal(await count(), before + rooms * instances.length);
  for (const member of members) member.leave();
  await until("the subscriptions of nobody", async () => await count() === before, 100);
}

/** A sender's filter decides, also where another instance has another one, or none. */
export async function versions(
  service: InstancesOfService,
  instances: readonly Instance[],
  start: (filter: string) => Promise<Instance>,
): Promise<void> {
  const newer = await start("client.params.color != input.color");
  const another = await start("client.params.size == input.size");
  const all = [...instances, newer, another];
  const members = await Promise.all(
    all.flatMap((instance) =>
      ["red", "blue"].map(async (color) => ({
        color,
        member: await service.connect(instance, { params: { color } }),
      }))
    ),
  );
  const [{ member: old }] = members;
  const { member: young } = members[2 * instances.length];
  for (let number = 0; number < 20; number++) {
    const sender = number % 2 === 0 ? old : young;
    await sender.say({ type: "reds", data: { color: "red", text: number } });
  }
  // What two instances send has no order among them.
  await old.say({ type: "shout", data: { text: "end of the old" } });
  await young.say({ type: "shout", data: { text: "end of the young" } });
  for (const { color, member } of members) {
    await member.hears({ text: "end of the old" });
    await member.hears({ text: "end of the young" });
    const rest = color === "red" ? 0 : 1;
    const texts = member.data.map((one) => (one as { readonly text: unknown }).text)
      .filter((text) => typeof text === "number");
    const expected = Array.from({ length: 20 }, (_, number) => number)
      .filter((number) => number % 2 === rest);
    assert.deepEqual(texts, expected, color);
  }
}

/** Calls `act` with each number, some at once. */
async function times(count: number, act: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      await act(next++);
      // A tick of the event loop, so that those at once do not go in step.
      await pause(0);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
