import assert from "node:assert/strict";
import { test } from "node:test";
import { namesTag } from "../../src/base/entity-tag.ts";

test("entity tag: a cache that has the version names its tag", () => {
  for (const tag of ['"a-1"', 'W/"a-1"']) {
    for (
      const header of [
        ...['"a-1"', 'W/"a-1"', "*", ' "a-1" ', '"b", "a-1"', 'W/"b",W/"a-1"', '"b,c", "a-1"'],
        ...[', ,"a-1",', '"unfinished, "a-1"', 'nonsense, W/"a-1"'],
      ]
    ) assert.equal(namesTag(header, tag), true, `${header} for ${tag}`);
  }
});

test("entity tag: anything else is another version", () => {
  for (
    const header of [
      ...[undefined, "", " ", ",", ",,,", '"', '""', "a-1", "'a-1'", '"a-1', 'a-1"', '"A-1"'],
      ...['w/"a-1"', 'W/W/"a-1"', 'W/ "a-1"', '"W/"a-1""', '"a-1"x', 'x"a-1"', '"a-1";"b"'],
      ...["**", '"*"', "W/*", '"a-1\u0000"', `"${"a".repeat(10_000)}"`, ",".repeat(10_000)],
    ]
  ) assert.equal(namesTag(header, '"a-1"'), false, String(header));
});
