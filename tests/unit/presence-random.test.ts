/** Clients join, leave and are cut at random, instances die and are cut off: the lists are the truth. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LINKS, type PresenceInstance, PresenceService } from "../support/presence-instances.ts";
import { seeded } from "../support/random.ts";
import type { FakeClient } from "../support/worker-runtimes.ts";

/** Somebody, wherever it is connected. */
interface Person {
  readonly user: string;
  on: PresenceInstance | undefined;
  client: FakeClient | undefined;
  inRoom: boolean;
}

for (const [link, capabilities] of Object.entries(LINKS)) {
  test(`${link}: after the grace and some quiet every list is the truth`, () =>
    PresenceService.with(3, { capabilities }, async (service, ...instances) => {
      const random = seeded(7);
      const people = Array.from(
        { length: 12 },
        (_, n): Person => ({ user: `user${n}`, on: undefined, client: undefined, inRoom: false }),
      );
      const living = [...instances];
      const known = [
        await service.watch(living[0], "watcher0"),
        await service.watch(living[1], "watcher1"),
      ];
      let next = 0;
      const connect = async (one: Person) => {
        one.on = random.pick(living);
        one.client = await one.on.open(one.user);
        one.client.tell({ type: "join_room", room: "r" });
        one.inRoom = true;
      };
      for (let n = 0; n < 120; n++) {
        const one = random.pick(people);
        // Where an instance has just died, the subscription of its user may come too late.
        if (one.client?.ended !== undefined) one.client = undefined;
        const what = random.below(100) / 100;
        if (one.client === undefined) await connect(one);
        else if (what < 0.3) {
          one.client.cut(random.pick([1001, 1006]));
          one.client = undefined;
          one.inRoom = false;
        } else if (what < 0.5) {
          one.client.leave();
          one.client = undefined;
          one.inRoom = false;
        } else if (what < 0.75) {
          one.client.tell({ type: one.inRoom ? "leave_room" : "join_room", room: "r" });
          one.inRoom = !one.inRoom;
        } else if (what < 0.8 && n > 20) {
          // The watchers' instances live.
          const dead = living.splice(2)[0];
          service.kill(dead);
          for (const lost of people.filter(({ on }) => on === dead)) {
            lost.client = undefined;
            lost.inRoom = false;
          }
          living.push(await service.start(`n${++next}`));
        }
        await service.advance(random.below(4) * 50);
      }
      await service.advance(3_000 + 8_000);
      const truth = people
        .filter(({ client, inRoom }) => inRoom && client?.ended === undefined).map(({ user }) =>
          user
        );
      const all = [...truth, "watcher0", "watcher1"].sort();
      for (const one of known) {
        assert.deepEqual(one.contradictions, []);
        assert.deepEqual(one.names, all);
        assert.ok([...one.members.values()].every(({ connections }) => connections === 1));
      }
      // A newcomer gets the same list.
      const late = await service.watch(living[2], "late");
      assert.deepEqual(late.names, [...all, "late"].sort());
    }));
}
