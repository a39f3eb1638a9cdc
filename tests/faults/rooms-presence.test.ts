/** The entries of "Rooms" about presence: pages are reloaded, clients are lost, a worker is killed. */
import assert from "node:assert/strict";
import process from "node:process";
import type { Member } from "../support/instances.ts";
import type { Weir } from "../support/process.ts";
import { until } from "../support/socket-probe.ts";
import { childrenOf, gone } from "../support/workers.ts";
import { come, startRooms, Watcher } from "./rooms.ts";
import { processFault } from "./stage.ts";

const CALM = "calm:1";
const BRIEF = "brief:1";
const USERS = ["ada", "bob", "cy", "dan", "eve", "fay", "gil", "hal"];
/** The kernel spreads them by chance: that one of two workers gets none happens once in 500 000 times. */
const WATCHERS = Array.from({ length: 20 }, (_, n) => `w-${String(n).padStart(2, "0")}`);

async function join(weir: Weir, room: string, user: string): Promise<Member> {
  for (;;) {
    const member = await come(weir, user);
    if ((await member.ask({ type: "join_room", room })).type === "ack") return member;
    member.leave();
  }
}

async function knows(watchers: readonly Watcher[], names: readonly string[]): Promise<void> {
  const wanted = JSON.stringify([...names].sort());
  await until(
    `members ${wanted}`,
    () => watchers.every(({ known }) => JSON.stringify(known.names) === wanted),
    20,
    30_000,
  );
}

/** Everybody is reloaded, and nobody has been away; who is lost leaves after the grace. */
async function reloads(weir: Weir): Promise<void> {
  const watcher = await Watcher.in(weir, CALM, "watcher");
  const brief = await Watcher.in(weir, BRIEF, "watcher");
  const members = new Map<string, Member>();
  for (const user of USERS) members.set(user, await join(weir, CALM, user));
  await knows([watcher], [...USERS, "watcher"]);
  for (const user of USERS) {
    members.get(user)?.leave();
    members.set(user, await join(weir, CALM, user));
  }
  const last = await join(weir, CALM, "last");
  await knows([watcher], [...USERS, "watcher", "last"]);
  assert.deepEqual(watcher.known.history.slice(-1), ["+last"]);
  assert.deepEqual(watcher.known.history.filter((change) => change.startsWith("-")), []);

  const lost = await join(weir, BRIEF, "lost");
  await knows([brief], ["lost", "watcher"]);
  lost.leave();
  await knows([brief], ["watcher"]);
  assert.deepEqual([watcher, brief].flatMap(({ known }) => known.contradictions), []);
  for (const one of [...members.values(), last, watcher, brief]) one.leave();
}

async function end(weir: Weir): Promise<void> {
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
}

for (const [name, args] of [["", []], [", with two workers", ["--workers", "2"]]] as const) {
  processFault(
    `pages are reloaded${name} → nobody leaves a room with presence; who does not come back leaves after \`leave_grace\``,
    async (stage) => {
      const weir = await startRooms(stage, ...args);
      await reloads(weir);
      await end(weir);
    },
  );
}

processFault(
  "a worker is killed → its members that are back within `leave_grace` have not left a room, the others leave, and every list is the truth",
  async (stage) => {
    const weir = await startRooms(stage, "--workers", "2");
    const watch = (room: string) =>
      Promise.all(WATCHERS.map((name) => Watcher.in(weir, room, name)));
    const [calm, brief] = [await watch(CALM), await watch(BRIEF)];
    const names = WATCHERS;
    await Promise.all([knows(calm, names), knows(brief, names)]);
    const [victim] = await childrenOf(weir.pid);
    process.kill(victim, "SIGKILL");
    await gone(victim);
    await Promise.all([...calm, ...brief].map((one) => one.answered()));
    const back = async (index: number): Promise<void> => {
      if (calm[index].isGone) calm[index] = await Watcher.in(weir, CALM, names[index]);
    };
    const stayed = calm.filter(({ isGone }) => !isGone);
    assert.ok(stayed.length > 0 && stayed.length < calm.length, "both workers had clients");
    await Promise.all(names.map((_, index) => back(index)));
    const last = await join(weir, CALM, "last");
    await knows(calm, [...names, "last"]);
    for (const { known } of stayed.filter((one) => !one.isGone)) {
      assert.deepEqual(known.history.filter((change) => change.startsWith("-")), []);
      assert.deepEqual(known.history.slice(-1), ["+last"]);
      assert.deepEqual(known.contradictions, []);
    }
    const there = names.filter((_, index) => !brief[index].isGone);
    assert.ok(there.length > 0 && there.length < names.length, "both workers had clients");
    await knows(brief.filter(({ isGone }) => !isGone), there);
    for (const one of [...calm, ...brief, last]) one.leave();
    await end(weir);
  },
);
