import assert from "node:assert/strict";
import { test } from "node:test";
import { Groups } from "../../src/connectors/websocket/registry.ts";
import { seeded } from "../support/random.ts";

test("a member that is added twice is in once", () => {
  const groups = new Groups<string>();
  for (const member of ["x", "x", "y", "x"]) groups.add("a", member);
  assert.deepEqual([...groups.members("a")], ["x", "y"]);
  assert.equal(groups.size, 1);
});

test("removing a member that is not in changes nothing", () => {
  const groups = new Groups<string>();
  groups.remove("a", "x");
  groups.add("a", "x");
  groups.remove("a", "y");
  groups.remove("b", "x");
  assert.deepEqual([...groups.members("a")], ["x"]);
  assert.equal(groups.size, 1);
});

test("a group ends with its last member", () => {
  const groups = new Groups<string>();
  groups.add("a", "x");
  groups.add("a", "y");
  groups.remove("a", "x");
  assert.equal(groups.size, 1);
  groups.remove("a", "y");
  groups.remove("a", "y");
  assert.equal(groups.size, 0);
  assert.equal(groups.members("a").size, 0);
});

test("names of prototypes are plain names", () => {
  const groups = new Groups<number>();
  for (const name of ["__proto__", "constructor", "hasOwnProperty", "", "*"]) {
    assert.equal(groups.members(name).size, 0);
    groups.add(name, 1);
    assert.deepEqual([...groups.members(name)], [1]);
  }
  assert.equal(groups.size, 5);
});

test("100 000 random joins and leaves: the same as plain lists, and empty at the end", () => {
  const random = seeded(1);
  const groups = new Groups<number>();
  const lists = new Map<string, number[]>();
  for (let step = 0; step < 100_000; step++) {
    const name = String(random.below(50));
    const member = random.below(20);
    const others = (lists.get(name) ?? []).filter((other) => other !== member);
    if (random.chance(0.5)) {
      groups.add(name, member);
      if (!lists.get(name)?.includes(member)) lists.set(name, [...others, member]);
    } else {
      groups.remove(name, member);
      lists.set(name, others);
    }
  }
  assert.equal(groups.size, [...lists.values()].filter((list) => list.length > 0).length);
  for (const [name, list] of lists) {
    assert.deepEqual([...groups.members(name)], list);
    for (const member of list) groups.remove(name, member);
  }
  assert.equal(groups.size, 0);
});
