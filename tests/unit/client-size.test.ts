/** The client library in one file: how large it is, and that it needs nothing. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { SCRIPT } from "../../src/connectors/websocket/library/script.ts";

const LIMIT = 4096;

test("client: at most 4 KB, minified and gzipped", async () => {
  const stream = new Blob([SCRIPT]).stream().pipeThrough(new CompressionStream("gzip"));
  const size = (await new Response(stream).bytes()).length;
  assert.ok(size <= LIMIT, `${size} bytes`);
});

test("client: one module without imports", async () => {
  assert.doesNotMatch(SCRIPT, /\bimport\b|\brequire\b|\bfrom"/);
  const folder = await mkdtemp(join(tmpdir(), "weir-client-"));
  try {
    const file = join(folder, "weir.mjs");
    await writeFile(file, SCRIPT);
    const library = await import(pathToFileURL(file).href) as Record<string, unknown>;
    assert.deepEqual(Object.keys(library).sort(), ["WeirError", "connect"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
