import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compileLevels,
  covers,
  filterProblem,
  namesIn,
  overlap,
  readFilter,
  topicProblem,
} from "../../src/connectors/mqtt/filters.ts";
import { Routes } from "../../src/connectors/mqtt/routes.ts";
import { seeded } from "../support/random.ts";

test("a filter matches topics as the specification says", () => {
  const table: Readonly<Record<string, { readonly yes: string[]; readonly no: string[] }>> = {
    "a/b": { yes: ["a/b"], no: ["a", "a/b/c", "a/b/", "/a/b", "A/b"] },
    "a/+": { yes: ["a/b", "a/", "a/ü", "a/$b"], no: ["a", "a/b/c", "b/a"] },
    "+": { yes: ["a", " "], no: ["a/b", "/a", "$SYS"] },
    "+/+": { yes: ["a/b", "/a", "/"], no: ["a", "a/b/c", "$SYS/b"] },
    "/+": { yes: ["/a", "/"], no: ["a", "a/b"] },
    "a/#": { yes: ["a", "a/", "a/b", "a/b/c"], no: ["ab", "b/a"] },
    "#": { yes: ["a", "/", "a/b/c"], no: ["$SYS", "$SYS/a"] },
    "+/#": { yes: ["a", "a/b", "/"], no: ["$SYS/a"] },
    "$SYS/#": { yes: ["$SYS", "$SYS/a/b"], no: ["a", "SYS/a"] },
    "+/a/#": { yes: ["x/a", "x/a/b", "/a"], no: ["x", "a", "$x/a"] },
    "sensor/+/t°": { yes: ["sensor/7/t°"], no: ["sensor/7/t"] },
    "$share/g/a/+": { yes: ["a/b"], no: ["g/a/b", "$share/g/a/b"] },
    "devices/{id}/state": { yes: ["devices/7/state", "devices//state"], no: ["devices/7/8/state"] },
  };
  for (const [filter, { yes, no }] of Object.entries(table)) {
    assert.equal(filterProblem(filter), undefined, filter);
    const matches = compileLevels(readFilter(filter).levels);
    for (const topic of yes) assert.ok(matches(topic), `${filter} matches ${topic}`);
    for (const topic of no) assert.ok(!matches(topic), `${filter} does not match ${topic}`);
  }
});

test("an operation is read in its parts", () => {
  const { subscription, group, levels, names } = readFilter("$share/g/devices/{id}/+/{key}/#");
  assert.equal(subscription, "$share/g/devices/+/+/+/#");
  assert.equal(group, "g");
  assert.deepEqual(levels, ["devices", "+", "+", "+", "#"]);
  assert.deepEqual(namesIn(names, "devices/7/x/temperature/now"), { id: "7", key: "temperature" });
  assert.deepEqual(readFilter(undefined).levels, ["#"]);
});

test("what is wrong with an operation or a topic is said", () => {
  const filters: Readonly<Record<string, RegExp>> = {
    "": /has no topic filter/,
    "a/b#": /the level "b#"; \+ and # must be whole levels/,
    "a+/b": /the level "a\+"/,
    "++": /the level "\+\+"/,
    "#/a": /has a # before its end/,
    "$share/g": /has no topic filter/,
    "$share/g/": /has no topic filter/,
    "$share//a": /needs the name of a group/,
    "$share/g+/a": /needs the name of a group/,
    "a/{id}/{id}": /has the name "id" twice/,
    "a/{}": /has the level "\{\}", which has no name in it/,
    "a/{1x}": /which has no name in it/,
    "a/x{id}": /a name in \{ \} must be a whole level/,
    "a/{id": /must be a whole level/,
    "a\0b": /has a NUL character/,
    "a/\ud800": /has half of a surrogate pair/,
    ["a".repeat(65_536)]: /has more than 65535 bytes/,
  };
  for (const [filter, problem] of Object.entries(filters)) {
    assert.match(filterProblem(filter) ?? "nothing", problem, filter.slice(0, 20));
  }
  const topics: Readonly<Record<string, RegExp>> = {
    "": /is empty/,
    "a/+": /has a \+ or #/,
    "#": /has a \+ or #/,
    "a\0": /has a NUL/,
    "\udc00": /half of a surrogate pair/,
    "$share/g/a": /begins with \$share/,
    ["ü".repeat(32_768)]: /has more than 65535 bytes/,
  };
  for (const [topic, problem] of Object.entries(topics)) {
    assert.match(topicProblem(topic) ?? "nothing", problem, topic.slice(0, 20));
  }
  for (const topic of ["a", "/", "a//b", "$SYS/x", "é/日本", "a b", "ü".repeat(32_767)]) {
    assert.equal(topicProblem(topic), undefined, topic.slice(0, 20));
  }
});

test("what covers and overlaps agrees with what matches, for random filters and topics", () => {
  const random = seeded(1);
  const level = (wild: boolean): string => {
    const words = wild ? ["a", "b", "+", "+", "$x", ""] : ["a", "b", "$x", ""];
    return words[random.below(words.length)];
  };
  const many = (wild: boolean): string[] =>
    Array.from({ length: 1 + random.below(4) }, () => level(wild));
  const topics = Array.from({ length: 400 }, () => many(false).join("/"))
    .filter((topic) => topic !== "");
  let [covered, met] = [0, 0];
  for (let i = 0; i < 1500; i++) {
    const [one, other] = [0, 1].map(() => {
      const levels = many(true);
      return random.below(3) === 0 ? [...levels, "#"] : levels;
    });
    const [matchesOne, matchesOther] = [one, other].map(compileLevels);
    const both = topics.filter((topic) => matchesOne(topic) && matchesOther(topic));
    const names = `${one.join("/")} and ${other.join("/")}`;
    assert.equal(overlap(one, other), overlap(other, one), names);
    if (both.length > 0) assert.ok(overlap(one, other), `${names} overlap at ${both[0]}`);
    if (overlap(one, other)) met++;
    if (!covers(one, other)) continue;
    covered++;
    const missed = topics.find((topic) => matchesOther(topic) && !matchesOne(topic));
    assert.equal(missed, undefined, `${names} do not cover at ${missed}`);
  }
  assert.ok(covered > 50 && met > 200, `${covered} covered, ${met} overlapped`);
});

test("subscriptions of one connection never overlap, and what another one covers is not asked for", () => {
  const of = (...operations: (string | undefined)[]) =>
    new Routes(operations).connections.map((some) => some.map(({ subscription }) => subscription));
  assert.deepEqual(of("a/b", "a/b", "a/c"), [["a/b", "a/c"]]);
  assert.deepEqual(of("a/{x}/c", "a/{y}/c"), [["a/+/c"]]);
  assert.deepEqual(of("a/b", "a/#", "a/+/c"), [["a/#"]]);
  assert.deepEqual(of(undefined, "a/+", "$SYS/#"), [["#", "$SYS/#"]]);
  assert.deepEqual(of("a/+/c", "a/b/+", "x"), [["a/+/c", "x"], ["a/b/+"]]);
  assert.deepEqual(of("$share/g/a/#", "$share/g/a/b"), [["$share/g/a/#"]]);
  assert.deepEqual(of("$share/g/a/#", "$share/h/a/b", "a/b"), [
    ["$share/g/a/#"],
    ["$share/h/a/b"],
    ["a/b"],
  ]);
  assert.equal(new Routes(["$share/g/a", "$share/h/b"]).shared, true);
  assert.equal(new Routes(["$share/g/a", "b"]).shared, false);
  assert.equal(new Routes([]).shared, false);
});

test("a flow gets what its own connection brings, and nothing else", () => {
  const routes = new Routes(["a/+/c", "a/b/+", "a/b/c"]);
  const [first, second, third] = ["a/+/c", "a/b/+", "a/b/c"].map((one) => routes.matcher(one));
  const keys = [0, 1].map((connection) => routes.keyOf(connection, "a/b/c"));
  assert.deepEqual(keys.map(first), [true, false]);
  assert.deepEqual(keys.map(second), [false, true]);
  assert.deepEqual(keys.map(third), [true, false], "a/+/c covers it");
  assert.deepEqual(keys.map((key) => routes.topicOf(key)), ["a/b/c", "a/b/c"]);
  const one = new Routes(["a/+"]);
  assert.equal(one.keyOf(0, "a/1:2"), "a/1:2");
  assert.equal(one.topicOf("a/1:2"), "a/1:2");
});
