import assert from "node:assert/strict";
import { test } from "node:test";
import { Groups } from "../../src/rooms.ts";
import { seeded } from "../support/random.ts";

test("a member is in once, however often it is added", () => {
  const groups = new Groups<string>();
  assert.equal(groups.add("a", "x"), true);
  assert.equal(groups.add("a", "x"), false);
  assert.equal(groups.add("a", "y"), true);
  assert.deepEqual([...groups.members("a")], ["x", "y"]);
  assert.equal(groups.size, 1);
});

test("removing who is not in says so and changes nothing", () => {
  const groups = new Groups<string>();
  assert.equal(groups.remove("a", "x"), false);
  groups.add("a", "x");
  assert.equal(groups.remove("a", "y"), false);
  assert.equal(groups.remove("b", "x"), false);
  assert.deepEqual([...groups.members("a")], ["x"]);
});

test("a group ends with its last member", () => {
  const groups = new Groups<string>();
  groups.add("a", "x");
  assert.equal(groups.remove("a", "x"), true);
  assert.equal(groups.size, 0);
  assert.equal(groups.remove("a", "x"), false);
  assert.equal(groups.members("a").size, 0);
});

test("names of prototypes are plain names", () => {
  const groups = new Groups<number>();
  for (const name of ["__proto__", "constructor", "hasOwnProperty", "", "*"]) {
    assert.equal(groups.members(name).size, 0);
    assert.equal(groups.add(name, 1), true);
    assert.deepEqual([...groups.members(name)], [1]);
  }
  assert.equal(groups.size, 5);
});

test("100 000 random joins and leaves: the same as a plain list of pairs, and empty at the end", () => {
  const random = seeded(1);
  const groups = new Groups<number>();
  const pairs = new Set<string>();
  for (let step = 0; step < 100_000; step++) {
    const name = String(random.below(50));
    const member = random.below(20);
    const pair = `${name} ${member}`;
    if (random.chance(0.5)) {
      assert.equal(groups.add(name, member), !pairs.has(pair));
      pairs.add(pair);
    } else {
      assert.equal(groups.remove(name, member), pairs.delete(pair));
    }
  }
  assert.equal(groups.size, new Set([...pairs].map((pair) => pair.split(" ")[0])).size);
  for (const pair of pairs) {
    const [name, member] = pair.split(" ");
    assert.equal(groups.remove(name, Number(member)), true);
  }
  assert.equal(groups.size, 0);
});
