import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions } from "../../src/server/files.ts";
import { placed } from "../support/problems.ts";

const CONNECTORS = `connector "api" {
type = "rest"
port = 3001
}
connector "events" {
type = "mq"
driver = "memory"
}
type "open" {
a = string
additional = true
}
type "closed" {
a = string
}
`;

const MAKE = 'transform {;a = "input.id";}';
const SEND = 'to {;connector = "events";target = "x";}';

/** The codes of a flow's warnings, and the text that each is about. */
async function warningsOf(body: string): Promise<string[]> {
  const from = 'from {\nconnector = "api"\noperation = "POST /a/:id"\n}\n';
  const text = `${CONNECTORS}flow "f" {\n${from}${body.replaceAll(";", "\n")}\n}\n`;
  const { warnings } = await loadConfig(text, hostOptions);
  return warnings.map((warning) => {
    const { source, column, length } = warning;
    const [, code] = placed(warning).split(" ");
    return `${code} ${source.slice(column - 1, column - 1 + length)}`;
  });
}

test("transform: a warning where nothing uses what it makes", async () => {
  const unused = ["unused-transform transform"];
  const rows: ReadonlyArray<readonly [body: string, expected: readonly string[]]> = [
    [MAKE, unused],
    [`${MAKE};response {;b = "input.id";}`, unused],
    [`${MAKE};dedupe {;key = "input.id";ttl = "1m";}`, unused],
    [`${MAKE};error_handling {;error_response {;status = 400;};}`, unused],
    [`${MAKE};response {;b = "output.a";}`, []],
    [`${MAKE};response {;b = "payload";}`, []],
    [`${MAKE};${SEND}`, []],
    [`${MAKE};validate {;output = "open";}`, []],
    [`${MAKE};dedupe {;key = "output.a";ttl = "1m";}`, []],
    [`${MAKE};error_handling {;fallback {;connector = "events";target = "x";};}`, []],
    ["", []],
  ];
  for (const [body, expected] of rows) assert.deepEqual(await warningsOf(body), expected, body);
});

test("response: a warning for a field that the payload cannot have", async () => {
  const answer = (text: string) => `response {;b = "1";c = "${text}";}`;
  const rows: ReadonlyArray<readonly [body: string, read: string | undefined]> = [
    [`${MAKE};${answer("output.b")}`, "output.b"],
    [`${MAKE};${answer("output.b.c + payload.a")}`, "output.b"],
    [`${MAKE};${answer("output.a")}`, undefined],
    [`${MAKE};${answer("output")}`, undefined],
    // The result of a destination may have any field; the payload has its own.
    [`${MAKE};${SEND};${answer("output.b")}`, undefined],
    [`${MAKE};${SEND};${answer("payload.b")}`, "payload.b"],
    // What arrived may have any field, if no closed type says otherwise.
    [answer("output.b"), undefined],
    [`transform {;extend = true;a = "1";};${answer("output.b")}`, undefined],
    [`validate {;input = "open";};${answer("output.b")}`, undefined],
    [`validate {;input = "closed";};${answer("output.b")}`, "output.b"],
    [
      `validate {;input = "closed";};transform {;extend = true;x = "1";};${answer("output.b")}`,
      "output.b",
    ],
    [`validate {;input = "closed";};${answer("output.a")}`, undefined],
  ];
  for (const [body, read] of rows) {
    assert.deepEqual(
      await warningsOf(body),
      read === undefined ? [] : [`always-null ${read}`],
      body,
    );
  }
});
