/** Who comes back within the grace has not been away: pages are reloaded, an instance restarts. */
import assert from "node:assert/strict";
import type { Instance, InstancesOfService, Member } from "../../support/instances.ts";
import { until } from "../../support/socket-probe.ts";
import type { Known } from "../../support/presence.ts";
import { same, Watcher } from "./presence.ts";

const calm = "calm:1";

/** Pages are reloaded and an instance restarts: whoever is back in time has not been away. */
export async function presenceStays(
  service: InstancesOfService,
  started: readonly Instance[],
): Promise<void> {
  const instances = [...started];
  const watcher = new Watcher("watcher", calm);
  await watcher.connect(service, instances[0]);
  const users = Array.from({ length: 9 }, (_, n) => `calm${n}`);
  const members = new Map<string, Member>();
  const come = async (user: string, on: Instance) => {
    const member = await service.connect(on, { user });
    await member.join(calm);
    members.set(user, member);
  };
  for (const [n, user] of users.entries()) await come(user, instances[n % 3]);
  const all = [...users, "watcher"].sort();
  await until("all", () => same(watcher.hear(), all));
  const before = watcher.known.history.length;

  for (const [n, user] of users.entries()) {
    members.get(user)?.leave();
    await come(user, instances[(n + 1) % 3]);
  }
  const victim = instances[2];
  const there = users.filter((_, n) => (n + 1) % 3 === 2);
  victim.weir.signal("SIGTERM");
  await victim.weir.ended();
  await until("they are closed", () => there.every((user) => members.get(user)?.ended));
  instances[2] = await service.start(victim.runtime);
  for (const user of there) await come(user, instances[2]);
  // What is told of all that comes before this.
  await come("last", instances[1]);
  await until("the last one", () => stays(watcher.hear(), [...all, "last"].sort(), users)).catch(
    (error) => {
      const { names, members, history } = watcher.hear();
      const shown = JSON.stringify({
        names,
        members: [...members],
        history: history.slice(before),
      });
      throw new Error(`${shown}: what the watcher knows`, { cause: error });
    },
  );
  assert.deepEqual(watcher.known.history.slice(before), ["+last"]);
  assert.deepEqual(watcher.known.contradictions, []);
}

/**
 * Whether just these members are known, each with one connection. One that has moved to an instance
 * before the other has noticed that its old connection is lost has two until the grace is over, which
 * is longer than this test.
 */
function stays(
  { names, members }: Known,
  wanted: readonly string[],
  moved: readonly string[],
): boolean {
  return JSON.stringify(names) === JSON.stringify(wanted) &&
    [...members].every(([name, { connections }]) =>
      connections === 1 || (connections === 2 && moved.includes(name))
    );
}
