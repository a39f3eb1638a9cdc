/** What a writer on the broker that is no instance of the service, or one with a bug, can do to a group. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchWriter, type Entry, entry, Kind } from "../../src/cluster/batches.ts";
import { bytesOf, TestService, ticks } from "../support/groups.ts";

/** Sends entries to all, as an instance with this id. */
async function stranger(service: TestService, id: string) {
  const link = service.bus.connect(`stranger${id}`);
  await link.open({ message() {}, down() {}, up() {}, members() {} });
  let sequence = 0;
  return async (topic: string, ...entries: readonly Entry[]) => {
    const batch = new BatchWriter();
    for (const one of entries) batch.add(one);
    await link.publish(topic, batch.finish(id, ++sequence));
    await ticks();
  };
}

function progress(schedule: string, due: number, ago = 0): Entry {
  const payload = bytesOf(JSON.stringify([schedule, { due, ago, unfinished: null }]));
  return entry(Kind.progress, { payload });
}

test("an age that nobody can have keeps nobody from joining later", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const send = await stranger(service, "z");
  await send("all", entry(Kind.heartbeat, { number: Number.MAX_SAFE_INTEGER }));
  const [b, c] = [await service.start("b"), await service.start("c")];
  await service.advance(10_000);
  for (const { group } of [a, b, c]) {
    assert.equal(group.counts().instances, 3);
    assert.equal(group.health(), undefined);
  }
  assert.deepEqual([a, b, c].map(({ group }) => group.mayLead), [true, false, false]);
  await service.close();
});

test("a welcome makes nobody a member whose id is none", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const send = await stranger(service, "z");
  for (const id of ["", "A", "x".repeat(33), "i/x", "__proto__"]) {
    const payload = bytesOf(JSON.stringify({ members: [[id, 1]], progress: [] }));
    await send("i/a", entry(Kind.welcome, { number: 9, payload }));
  }
  assert.equal(a.group.counts().backplane_unreadable, 5);
  assert.equal(a.group.counts().instances, 1);
  await service.close();
});

test("a progress of times that cannot be stops no schedule", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const now = a.clock.now();
  a.group.saveProgress("tick", { due: now, ago: 0, unfinished: null });
  const send = await stranger(service, "z");
  await send("all", progress("tick", 1e300));
  await send("all", progress("tick", now, 1e300));
  await send("all", progress("tick", now + 366 * 86_400_000));
  assert.equal(a.group.loadProgress("tick")?.due, now);
  assert.equal(a.group.loadProgress("tick")?.ago, 0);
  await send("all", progress("tick", now + 60_000));
  assert.equal(a.group.loadProgress("tick")?.due, now + 60_000);
  await service.close();
});

test("schedules that others name do not fill the memory", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const now = a.clock.now();
  const send = await stranger(service, "z");
  await send("all", ...Array.from({ length: 3_000 }, (_, i) => progress(`s${i}`, now)));
  assert.notEqual(a.group.loadProgress("s0"), undefined);
  assert.equal(a.group.loadProgress("s2999"), undefined);
  // Its own are always kept.
  a.group.saveProgress("own", { due: now, ago: 0, unfinished: null });
  assert.equal(a.group.loadProgress("own")?.due, now);
  await service.close();
});
