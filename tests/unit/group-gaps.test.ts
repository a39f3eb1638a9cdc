/** A group that is cut off from the others, and comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, TestService } from "../support/groups.ts";

test("after an outage it hears again, then tells the gap, then is healthy: once for each outage", async () => {
  const service = new TestService();
  const a = service.make("a");
  const health: (string | undefined)[] = [];
  const gap = a.group.connector("other");
  gap.hear({
    message() {},
    answer: () => bytesOf(""),
    gap: () => void health.push(a.group.health()),
  });
  const started = a.group.start();
  await service.advance(600);
  await started;
  const b = await service.start("b");
  await a.ws.listen("x");
  a.link.cut("the broker is away");
  a.link.cut("the broker is away");
  assert.equal(a.group.health(), "the broker is away");
  await service.advance(2_000, 500);
  a.link.mend();
  await service.advance(700);
  assert.deepEqual(health, ["joining the other instances"]);
  assert.equal(a.group.health(), undefined);
  assert.deepEqual(a.heard, ["gap"]);
  await b.ws.publish("x", bytesOf("1"));
  assert.deepEqual(a.heard, ["gap", "x:1"]);
  assert.equal(a.group.counts().backplane_gaps, 1);
  assert.equal(a.log.filter((line) => line.includes("the broker is away")).length, 1);
  assert.equal(a.log.filter((line) => line.includes("may be lost")).length, 1);
  assert.equal(b.group.counts().backplane_gaps, 0);
  a.link.cut();
  a.link.mend();
  await service.advance(700);
  assert.equal(a.group.counts().backplane_gaps, 2);
  await service.close();
});

test("an outage of 10 s for all kills nobody, and one instance is the oldest after it", async () => {
  const service = new TestService();
  const all = [await service.start("a"), await service.start("b"), await service.start("c")];
  for (const { link } of all) link.cut();
  await service.advance(10_000, 500);
  assert.deepEqual(all.map(({ group }) => group.counts().instances), [3, 3, 3]);
  assert.deepEqual(all.map(({ group }) => group.mayLead), [false, false, false]);
  for (const { link } of all) link.mend();
  await service.advance(4_000, 250);
  assert.deepEqual(all.map(({ group }) => group.counts().instances), [3, 3, 3]);
  assert.equal(all.filter(({ group }) => group.mayLead).length, 1);
  assert.deepEqual(all.map(({ heard }) => heard), [["gap"], ["gap"], ["gap"]]);
  await service.close();
});

test("a link that stalls in both directions blames nobody, and its instance joins again", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  await service.advance(1_000, 250);
  a.link.faults.add("mute").add("deaf");
  await service.advance(3_900, 250);
  assert.equal(a.group.mayLead, true);
  await service.advance(1_200, 250);
  assert.equal(a.group.mayLead, false);
  await service.advance(4_400, 250);
  assert.deepEqual([a, b].map(({ group }) => group.counts().instances), [2, 1]);
  assert.equal(a.group.health(), "joining the other instances");
  a.link.faults.clear();
  await service.advance(5_000, 250);
  assert.deepEqual([a, b].map(({ group }) => group.counts().instances), [2, 2]);
  assert.deepEqual([a, b].map(({ group }) => group.mayLead), [false, true]);
  assert.deepEqual([a.heard, b.heard], [["gap"], []]);
  assert.equal(a.group.health(), undefined);
  await service.close();
});

test("where servers learn later of a subscription, the gap is told when all others know of it again", async () => {
  const service = new TestService({ live: "probe", order: "sender" });
  service.bus.lag = 200;
  const [a] = [await service.start("a"), await service.start("b")];
  await service.advance(1_000);
  const listening = a.ws.listen("x");
  await service.advance(500);
  await listening;
  a.link.cut();
  a.link.mend();
  await service.advance(300);
  assert.deepEqual(a.heard, []);
  await service.advance(300);
  assert.deepEqual(a.heard, ["gap"]);
  await service.close();
});
