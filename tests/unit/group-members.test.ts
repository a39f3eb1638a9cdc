/** Which instances of a group live, and which is the oldest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Members } from "../../src/cluster/members.ts";
import type { Turn } from "../../src/contract/instances.ts";
import { type TestInstance, TestService } from "../support/groups.ts";

/** Notes when an instance is the oldest. */
function watchTurn({ group, id }: TestInstance, log: string[]): void {
  const turn: Turn = {
    begin: (takesOver) =>
      Promise.resolve(void log.push(`${id} begins${takesOver ? " after" : ""}`)),
    end: () => Promise.resolve(void log.push(`${id} ends`)),
  };
  group.lead(turn);
}

function counts(...instances: readonly TestInstance[]): readonly number[] {
  return instances.map(({ group }) => group.counts().instances);
}

for (const members of [false, true]) {
  const how = members ? "the backplane tells" : "heartbeats";

  test(`instances know each other by ${how}, and a graceful end at once`, async () => {
    const service = new TestService({ members });
    const [a, b] = [await service.start("b2"), await service.start("a1")];
    const log: string[] = [];
    watchTurn(a, log);
    watchTurn(b, log);
    await service.advance(1_000, 500);
    assert.deepEqual(counts(a, b), [2, 2]);
    assert.deepEqual(log, ["b2 begins"], "the older one, whatever the ids");
    assert.deepEqual([a.group.mayLead, b.group.mayLead], [true, false]);
    const closed = a.group.close();
    await service.advance(100);
    await closed;
    assert.deepEqual(counts(b), [1]);
    assert.deepEqual(log, ["b2 begins", "a1 begins after"]);
    assert.equal(b.group.mayLead, true);
    service.blocked.add(a);
    await service.close();
  });
}

test("a connector is told who is gone, after what that one has sent", async () => {
  for (const members of [false, true]) {
    const service = new TestService({ members });
    const [a, b, c] = [
      await service.start("a"),
      await service.start("b"),
      await service.start("c"),
    ];
    await Promise.all([a.ws.listen("x"), service.advance(200)]);
    const sent = b.ws.publish("x", new TextEncoder().encode("1"));
    const closed = b.group.close();
    await service.advance(200);
    await Promise.all([sent, closed]);
    assert.deepEqual([a.heard, a.gone], [["x:1"], ["b after 1"]]);
    service.blocked.add(b);
    service.kill(c);
    await service.advance(8_000, 250);
    assert.deepEqual(a.gone, ["b after 1", "c after 1"]);
    await service.close();
  }
});

test("a death is known to all within 8 s, and not before 6 s", async () => {
  const service = new TestService();
  const [a, b, c] = [
    await service.start("a"),
    await service.start("b"),
    await service.start("c"),
  ];
  const log: string[] = [];
  for (const one of [a, b, c]) watchTurn(one, log);
  service.kill(a);
  await service.advance(5_500, 250);
  assert.deepEqual(counts(b, c), [3, 3]);
  await service.advance(2_500, 250);
  assert.deepEqual(counts(b, c), [2, 2]);
  assert.deepEqual(log, ["a begins", "b begins after"]);
  await service.close();
});

test("an instance whose event loop is blocked for 4 s is not dead, and blames nobody", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const log: string[] = [];
  for (const one of [a, b]) watchTurn(one, log);
  await service.advance(1_000, 250);
  service.blocked.add(a);
  await service.advance(4_000, 250);
  await service.wake(a);
  await service.advance(3_000, 250);
  assert.deepEqual(counts(a, b), [2, 2]);
  assert.deepEqual(log, ["a begins"]);
  assert.deepEqual([a.heard, b.heard], [[], []]);
  await service.close();
});

test("one that was stopped for 20 s may not lead when it goes on, and joins as the newest with a gap", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const log: string[] = [];
  for (const one of [a, b]) watchTurn(one, log);
  assert.equal(a.group.mayLead, true);
  service.blocked.add(a);
  await service.advance(20_000, 500);
  assert.deepEqual(log, ["a begins", "b begins after"]);
  // The first thing that it does is to ask: its timers have not run yet.
  const asked: boolean[] = [];
  a.clock.after(0, () => asked.push(a.group.mayLead));
  await service.wake(a);
  await service.advance(1_500, 250);
  assert.deepEqual(asked, [false]);
  assert.deepEqual(log, ["a begins", "b begins after", "a ends"]);
  assert.deepEqual(counts(a, b), [2, 2]);
  assert.deepEqual([a.heard, b.heard], [["gap"], []]);
  assert.equal(a.group.counts().backplane_gaps, 1);
  await service.close();
});

test("one that was declared dead by others hears of it and joins again", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const log: string[] = [];
  for (const one of [a, b]) watchTurn(one, log);
  // Its heartbeats come back to itself alone.
  b.link.faults.add("deaf");
  const hear = b.link.receive.bind(b.link);
  b.link.faults.delete("deaf");
  b.link.receive = (topic, bytes) => {
    const from = new TextDecoder().decode(bytes.subarray(2, 2 + bytes[1]));
    if (from !== "a") hear(topic, bytes);
  };
  await service.advance(8_000, 250);
  assert.deepEqual(counts(a, b), [2, 1]);
  assert.deepEqual(log, ["a begins", "b begins after"]);
  b.link.receive = hear;
  await service.advance(3_000, 250);
  assert.deepEqual(counts(a, b), [2, 2]);
  assert.deepEqual(log, ["a begins", "b begins after", "a ends"]);
  assert.deepEqual([a.heard, b.heard], [["gap"], []]);
  await service.close();
});

test("of three that start at the same time one is the oldest, and all know each other", async () => {
  const service = new TestService();
  const [b, a, c] = [service.make("b"), service.make("a"), service.make("c")];
  const log: string[] = [];
  for (const one of [a, b, c]) watchTurn(one, log);
  const started = [b, a, c].map(({ group }) => group.start());
  await service.advance(2_000);
  await Promise.all(started);
  assert.equal(log.length, 1, log.join());
  assert.deepEqual(counts(a, b, c), [3, 3, 3]);
  await service.close();
});

test("where the backplane is away at the start, it joins later and has no gap", async () => {
  const service = new TestService();
  const a = service.make("a");
  a.link.cut();
  const log: string[] = [];
  watchTurn(a, log);
  const started = a.group.start();
  await service.advance(6_000, 500);
  await started;
  assert.equal(a.group.health(), "cut");
  a.link.mend();
  await service.advance(1_000);
  assert.equal(a.group.health(), undefined);
  assert.deepEqual(log, ["a begins"]);
  assert.deepEqual(a.heard, []);
  assert.equal(a.group.counts().backplane_gaps, 0);
  await service.close();
});

test("a close before the start, and again, does nothing", async () => {
  const service = new TestService();
  const a = service.make("a");
  await a.group.close();
  await a.group.close();
});

test("an older one that joined beside this one may come, and this one is not the oldest until then", () => {
  const members = new Members("b", () => {});
  members.hear("a", undefined);
  members.join();
  assert.equal(members.oldest, undefined);
  // It says hello once more, since nobody has confirmed the first time.
  members.hear("a", undefined);
  assert.equal(members.oldest, undefined);
  members.hear("a", 1);
  assert.equal(members.oldest, "a");
  members.leave("a");
  assert.equal(members.oldest, "b");
});

test("no more than a thousand of the dead are remembered", () => {
  const members = new Members("a", () => {});
  for (let i = 0; i < 1_100; i++) {
    members.hear(`x${i}`, 1);
    members.leave(`x${i}`);
  }
  assert.deepEqual([members.isDead("x0"), members.isDead("x1099")], [false, true]);
});

test("an instance takes a higher age than all, also where one that begins beside it answers first", async () => {
  const service = new TestService();
  const [a] = [await service.start("z1"), await service.start("z2")];
  const both = [service.make("b"), service.make("a")];
  const log: string[] = [];
  for (const one of [a, ...both]) watchTurn(one, log);
  const started = both.map(({ group }) => group.start());
  await service.advance(1_000);
  await Promise.all(started);
  assert.deepEqual(log, ["z1 begins"]);
  await service.close();
});
