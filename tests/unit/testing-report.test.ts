import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlayers, Players } from "../../src/testing/players.ts";
import { formatResult, formatSummary, toJson } from "../../src/testing/report.ts";
import type { TestResult } from "../../src/testing/report.ts";

const place = (line: number) => ({ file: "chat.hcl", line, column: 3 });
const good: TestResult = { name: "good", place: place(1), failures: [], log: ["info weir: hello"] };
const bad: TestResult = {
  name: "bad",
  place: place(10),
  failures: [
    {
      place: place(12),
      message: 'expect "bob": nothing received matches',
      expected: { data: { id: 7 } },
      received: [1, 2, 3, 4, 5].map((id) => ({
        value: { data: { id } },
        differences: [{ path: "data.id", message: `expected 7, received ${id}` }],
      })),
    },
    { place: place(14), message: 'expect "eve": received something', received: [] },
    { place: place(15), message: "broken" },
  ],
  log: ["error weir.flow: one", "warning weir.flow: two"],
};

test("report: a good test is one line, without what it logged", () => {
  assert.equal(formatResult(good), "ok      good");
});

test("report: a failed test says where, what was expected, what came, and what was logged", () => {
  assert.equal(
    formatResult(bad),
    `FAILED  bad
        chat.hcl:12  expect "bob": nothing received matches
          expected  {"data":{"id":7}}
          received  {"data":{"id":1}}
                    data.id: expected 7, received 1
          received  {"data":{"id":2}}
                    data.id: expected 7, received 2
          received  {"data":{"id":3}}
                    data.id: expected 7, received 3
          and 2 more
        chat.hcl:14  expect "eve": received something
          received  nothing
        chat.hcl:15  broken
        log
          error weir.flow: one
          warning weir.flow: two`,
  );
});

test("report: what is long is cut", () => {
  const failure = { place: place(1), message: "long", expected: "x".repeat(1000) };
  const text = formatResult({ ...good, failures: [failure], log: [] });
  assert.ok(text.endsWith(`expected  "${"x".repeat(499)}…`), text);
});

test("report: the last line counts", () => {
  assert.equal(formatSummary([good]), "1 test, all passed");
  assert.equal(formatSummary([good, bad, good]), "3 tests, 1 failed");
});

test("report: what answered for services is said once for each connector", () => {
  const players = new Players();
  const reason = "SQLite refuses it";
  for (let i = 0; i < 2; i++) {
    players.add("a", { service: "PostgreSQL", by: "SQLite in memory" });
    players.add("b", { service: "MySQL", by: "mocks", reason });
    players.add("a", { service: "PostgreSQL", by: "real" });
  }
  assert.deepEqual(formatPlayers(players.all), [
    "a (PostgreSQL): played by SQLite in memory",
    "b (MySQL): mocks alone, since SQLite refuses it",
    "a (PostgreSQL): real",
  ]);
  assert.deepEqual(toJson([good], players.all).played, [
    { connector: "a", service: "PostgreSQL", by: "SQLite in memory" },
    { connector: "b", service: "MySQL", by: "mocks", reason },
    { connector: "a", service: "PostgreSQL", by: "real" },
  ]);
});

test("report: as JSON there is all of it, the whole of what came too", () => {
  const json = toJson([good, bad]) as { readonly results: readonly unknown[] };
  const { failures } = bad;
  assert.deepEqual(json, {
    tests: 2,
    failed: 1,
    results: [
      { name: "good", ...place(1), ok: true, failures: [], log: [] },
      {
        name: "bad",
        ...place(10),
        ok: false,
        failures: [
          {
            ...place(12),
            message: failures[0].message,
            expected: failures[0].expected,
            received: failures[0].received,
          },
          { ...place(14), message: failures[1].message, received: [] },
          { ...place(15), message: "broken" },
        ],
        log: bad.log,
      },
    ],
  });
});
