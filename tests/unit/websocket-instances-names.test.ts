/** Names of users that a flow takes from what a client sends: of any length, and of any characters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { createGroup } from "../../src/cluster/mod.ts";
import { ask, expression, hears, hubWith } from "../support/linked-hubs.ts";
import { MemoryLinks } from "../support/link.ts";
import { recorder } from "../support/log.ts";

test("names: a user that cannot exist is nobody, and crosses nothing", async () => {
  const links = new MemoryLinks();
  const [a, b] = ["a", "b"].map((id) => {
    const { link } = links.add(id);
    const group = createGroup({ id, backplane: link, clock: systemClock, ...recorder() });
    return { group, ...hubWith(group.connector("ws")) };
  });
  for (const { group } of [a, b]) await group.start();
  for (const { hub } of [a, b]) await hub.start();
  try {
    // In UTF-8 a lone surrogate would become what another user is called.
    const other = await b.open("\ufffd");
    await ask(other, { type: "who" });
    const user = expression("input.user", "input");
    for (const target of ["u".repeat(100_000), "u".repeat(256), "\ud800", "line\nbreak", ""]) {
      const message = { operation: "send_to_user", target, payload: 1, resultUsed: true };
      assert.deepEqual(await a.write(message), { recipients: 0 });
      const order = { operation: "disconnect", options: { user }, resultUsed: true };
      const done = await a.write({ ...order, scope: { input: { user: target } } });
      assert.deepEqual(done, { recipients: 0, refused: 0 });
    }
    const longest = { operation: "send_to_user", target: "é".repeat(127), resultUsed: true };
    assert.deepEqual(await a.write(longest), { recipients: 0 });
    await a.write({ operation: "broadcast", payload: "last" });
    await hears(other, "last");
  } finally {
    for (const { hub } of [a, b]) await hub.close();
    for (const { group } of [a, b]) await group.close();
  }
});
