/** The globs of Redis' channels and the subjects of NATS, as their servers match them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compileSubject,
  isSubject,
  isSubjectPattern,
  subjectCovers,
  subjectsMeet,
} from "../../src/connectors/mq/drivers/nats/subjects.ts";
import { compileGlob, isGlob } from "../../src/connectors/mq/drivers/redis/glob.ts";

type Row = readonly [pattern: string, taken: readonly string[], refused: readonly string[]];

const globs: readonly Row[] = [
  ["news", ["news"], ["new", "newss", "News", ""]],
  ["news.*", ["news.art", "news.", "news.a.b"], ["news", "xnews.art"]],
  ["*", ["a", "a.b", "é"], [""]],
  ["**a**", ["a", "bac"], ["b", ""]],
  ["*a*b*c", ["abc", "xaybzc", "abcabc"], ["acb", "abcd"]],
  ["h?llo", ["hello", "h?llo"], ["hllo", "heello", "héllo"]],
  ["h??llo", ["héllo"], ["hello"]],
  ["h[ae]llo", ["hello", "hallo"], ["hillo", "h[ae]llo"]],
  ["h[^e]llo", ["hallo"], ["hello", "hllo"]],
  ["[a-c]", ["a", "b", "c"], ["d", "-"]],
  ["[c-a]", ["a", "b", "c"], ["d", "-"]],
  ["[a-]", ["a", "]", "_"], ["-", "b"]],
  ["[abc", ["a", "c"], ["[abc", "d"]],
  ["[^", ["a", "^"], ["", "ab"]],
  ["[", [], ["[", ""]],
  ["[]a", [], ["a", "]a"]],
  ["[\\]]", ["]"], ["\\", "\\]"]],
  ["a\\*", ["a*"], ["ab", "a\\*"]],
  ["a\\", ["a\\"], ["a"]],
];

const subjects: readonly Row[] = [
  ["a.b", ["a.b"], ["a", "a.b.c", "a.c"]],
  ["a.*", ["a.b", "a.*"], ["a", "a.b.c", "b.a"]],
  ["*.*", ["a.b"], ["a", "a.b.c"]],
  ["a.>", ["a.b", "a.b.c"], ["a", "b.a"]],
  [">", ["a", "a.b"], []],
  ["*.b.>", ["a.b.c"], ["a.b", "a.c.b"]],
  ["a*.b", ["a*.b"], ["ax.b"]],
];

const kinds = [[globs, compileGlob, "glob"], [subjects, compileSubject, "subject"]] as const;
for (const [rows, compile, kind] of kinds) {
  for (const [pattern, taken, refused] of rows) {
    test(`the ${kind} ${JSON.stringify(pattern)} takes what its server takes`, () => {
      const matches = compile(pattern);
      for (const text of taken) assert.equal(matches(text), true, `takes ${JSON.stringify(text)}`);
      for (const text of refused) {
        assert.equal(matches(text), false, `refuses ${JSON.stringify(text)}`);
      }
    });
  }
}

test("many stars against a long channel end soon", () => {
  assert.equal(compileGlob("*a".repeat(30) + "b")("a".repeat(5000)), false);
});

test("a channel is no glob", () => {
  for (const text of ["a*", "a?", "a[b]", "a\\*"]) assert.equal(isGlob(text), true, text);
  for (const text of ["", "a.b", "a]", "a^-"]) assert.equal(isGlob(text), false, text);
});

test("subjects have tokens, and wildcards are whole ones", () => {
  for (const text of ["a", "a.b", "a*", "a>.b", "é"]) assert.equal(isSubject(text), true, text);
  for (const text of ["", "a.", ".a", "a..b", "a b", "a\t", "a\0", "*", "a.>", "a.*.b"]) {
    assert.equal(isSubject(text), false, JSON.stringify(text));
  }
  for (const text of ["*", ">", "a.>", "a.*.b"]) assert.equal(isSubjectPattern(text), true, text);
  for (const text of [">.a", "a.>.b", "a..>"]) assert.equal(isSubjectPattern(text), false, text);
});

test("patterns meet where a subject fits both, and cover where each does", () => {
  const rows: readonly (readonly [a: string, b: string, meet: boolean, covers: boolean])[] = [
    ["a.b", "a.b", true, true],
    ["a.*", "a.b", true, true],
    ["a.b", "a.*", true, false],
    ["a.*", "*.b", true, false],
    ["a.>", "a", false, false],
    ["a.>", "a.b.c", true, true],
    ["a.*", "a.>", true, false],
    ["a.>", "a.*", true, true],
    [">", ">", true, true],
    [">", "*", true, true],
    ["*", ">", true, false],
    ["a.*.c", "a.b.d", false, false],
    ["a.*", "a.b.c", false, false],
    ["a.b.>", "a.*.c", true, false],
  ];
  for (const [a, b, meet, covers] of rows) {
    assert.deepEqual([subjectsMeet(a, b), subjectCovers(a, b)], [meet, covers], `${a} and ${b}`);
    assert.equal(subjectsMeet(b, a), meet, `${b} and ${a}`);
  }
});
