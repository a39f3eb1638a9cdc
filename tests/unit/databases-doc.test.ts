/** docs/databases.md says how rows are read and written. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { destinationFields, stepFields } from "../../src/connectors/database/options.ts";
import { OPERATIONS } from "../../src/connectors/database/table-write.ts";
import { createRuntime } from "../../src/runtime/mod.ts";
import { fails, withDatabase, write } from "./database-support.ts";

const page = await readFile(new URL("../../docs/databases.md", import.meta.url), "utf8");

/** The examples in one language, in their order. */
function examples(language: string): string[] {
  return [...page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)]
    .filter(([, found]) => found === language).map(([, , code]) => code);
}

test("databases page: every request is answered as it says", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-databases-doc-"));
  const [schema] = examples("sql");
  await mkdir(join(folder, "migrations"));
  await writeFile(join(folder, "migrations/001-desk.sql"), schema);
  const text = examples("hcl").join("\n");
  const runtime = await createRuntime([{ path: "desk.hcl", text, folder }]);
  try {
    const lines = examples("text").join("").trimEnd().split("\n");
    assert.ok(lines.length >= 20);
    for (let i = 0; i < lines.length; i += 2) {
      const [, method, path, body] = /^(\w+) (\S+)(?: (.*))?$/.exec(lines[i]) ?? [];
      const headers = { "content-type": "application/json" };
      const response = await runtime.fetch(
        new Request(`http://localhost${path}`, {
          method,
          ...(body === undefined ? {} : { body, headers }),
        }),
      );
      assert.equal(`${response.status} ${await response.text()}`, lines[i + 1], lines[i]);
    }
  } finally {
    await runtime.close();
    await rm(folder, { recursive: true });
  }
});

test("databases page: it names every operation and attribute of a to and a step", () => {
  for (const operation of OPERATIONS) assert.ok(page.includes(`### ${operation}\n`), operation);
  for (const name of Object.keys({ ...destinationFields, ...stepFields })) {
    assert.match(page, new RegExp(`\`${name}\\b|^    ${name} +=`, "m"), name);
  }
});

test("databases page: values are stored and read, or refused, as its table says", async () => {
  await withDatabase("CREATE TABLE t (a, i INTEGER, s TEXT, b BOOLEAN, j JSON);", async (db) => {
    const row = { a: null, i: null, s: null, b: null, j: null };
    const insert = (payload: object) => write(db, { target: "t", payload });
    assert.deepEqual(await insert({ a: [1], i: "9007199254740993", s: 3, b: true, j: { k: 1 } }), {
      a: "[1]",
      i: "9007199254740993",
      s: "3",
      b: 1,
      j: '{"k":1}',
    });
    assert.deepEqual(await insert({ b: false }), { ...row, b: 0 });
    for (const a of [NaN, Infinity, "\0", "\ud83d"]) {
      await assert.rejects(insert({ a }), fails(/column "a": (is|has)/));
    }
    await write(db, { query: "UPDATE t SET a = x'00ff'" });
    assert.deepEqual(await write(db, { query: "SELECT a FROM t LIMIT 1" }), [{ a: "AP8=" }]);
  });
});

test("databases page: an unknown column is the error that it shows", async () => {
  const [schema] = examples("sql");
  await withDatabase(schema, async (db) => {
    const { message } = await write(db, { target: "members", payload: { rle: "agent" } }).then(
      () => assert.fail(),
      (error: Error) => error,
    );
    const [shown] = /`(there is no column [^`]+)`/.exec(page)?.slice(1) ?? [];
    assert.ok(message.endsWith(shown), message);
  });
});
