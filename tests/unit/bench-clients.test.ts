/** The comparison of client libraries: what it counts, and its page. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { busiest } from "../support/busiest.ts";
import { tally } from "../../bench/clients/cases/tally.ts";
import { countLines } from "../../bench/clients/lines.ts";
import { pageOf } from "../../bench/clients/page.ts";

const results = JSON.parse(
  await readFile(new URL("../../docs/performance/clients.json", import.meta.url), "utf8"),
);
const chats = { weir: "weir();\n", socketio: "socket();\n", centrifuge: "a();\nb();\n" };

test("bench:clients: lines are counted without comments and blanks", () => {
  const text = `/** What it is. */
// @ts-ignore: a reason.
import { io } from "package";

/**
 * Long.
 */
export function f() {
  // why
  return io("http://host"); // and how
}
`;
  assert.equal(countLines(text), 4);
});

test("bench:clients: missing, doubled and disordered messages are found", () => {
  assert.deepEqual(tally([0, 1, 2], [0, 1, 2]), { lost: 0, doubled: 0, ordered: true });
  assert.deepEqual(tally([0, 2, 2], [0, 1, 2]), { lost: 1, doubled: 1, ordered: true });
  assert.deepEqual(tally([1, 0, 1], [0, 1]), { lost: 0, doubled: 1, ordered: false });
});

test("bench:clients: the busiest 200 ms of many attempts", () => {
  assert.equal(busiest([0, 100, 200, 1000], 200), 0.75);
  assert.equal(busiest([500, 0, 900, 1500], 200), 0.25);
});

test("bench:clients: the page has a row for each case, and a dash where a library has no finding", () => {
  const page = pageOf("# A\n\n<!-- cases -->\n", results, chats);
  assert.ok(page.startsWith("# A\n\n|  | Weir | Socket.IO | centrifuge-js |\n"), page);
  const deduped = page.split("\n").filter((line) => line.includes("leaves out repetitions"));
  assert.equal(deduped.length, 2);
  for (const line of deduped) assert.match(line, /\| – \| – \|$/);
});

test("bench:clients: figures that the stand-in decides have a star, and no others", () => {
  const page = pageOf("<!-- cases -->", results, chats);
  for (const line of page.split("\n").filter((each) => each.includes("lost, doubled"))) {
    assert.match(line, /^(?:\|[^*|]*){3}\|[^|]* \\\* \|$/);
  }
  assert.doesNotMatch(page.split("\n").find((line) => line.includes("Stalled")) ?? "*", /\*/);
});

test("bench:clients: the chats are shown and counted", () => {
  const page = pageOf("<!-- chats -->", results, chats);
  assert.match(page, /\| lines \| 1 \| 1 \| 2 \|/);
  assert.match(page, /### centrifuge-js\n\n```js\na\(\);\nb\(\);\n```/);
});

test("bench:clients: a part that does not exist is an error", () => {
  assert.throws(() => pageOf("<!-- nothing -->", results, chats), /unknown part: nothing/);
});
