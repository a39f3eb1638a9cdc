/** Files that a connector serves, and what caches are told of them, on every host. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";

const folder = await mkdtemp(join(tmpdir(), "weir-static-"));
await writeFile(join(folder, "page.txt"), "a page");
await writeFile(join(folder, "100%25.txt"), "what no path names");
after(() => rm(folder, { recursive: true }));

const config = websocket(`static = ${JSON.stringify(folder)}`) + flows;

/** Asks for a path. */
async function ask(
  { running }: Contract,
  headers: Readonly<Record<string, string>> = {},
  { method = "GET", path = "/page.txt" } = {},
) {
  const response = await fetch(`http://127.0.0.1:${running.port}${path}`, { method, headers });
  return {
    status: response.status,
    body: await response.text(),
    header: (name: string) => response.headers.get(name),
  };
}

contract("static: caches ask whether a file has changed", config, async (t) => {
  if (t.host.embedded) {
    // Files are those of the embedding server.
    assert.equal((await ask(t, {}, { path: `${t.host.mount}/page.txt` })).status, 404);
    return;
  }
  const first = await ask(t);
  const tag = String(first.header("etag"));
  assert.deepEqual([first.status, first.body], [200, "a page"]);
  assert.match(tag, /^W\/"[0-9a-z]+-[0-9a-z]+-[0-9a-z]+"$/);
  assert.equal(first.header("cache-control"), "no-cache");

  const strong = tag.slice(2);
  for (const known of [tag, strong, "*", `"old", ${tag}`, `nonsense, "", ${strong}`]) {
    for (const method of ["GET", "HEAD"]) {
      const same = await ask(t, { "if-none-match": known }, { method });
      assert.deepEqual([same.status, same.body], [304, ""], `${method} ${known}`);
      assert.equal(same.header("etag"), tag);
      assert.equal(same.header("cache-control"), "no-cache");
    }
  }
  // The range of a version that the client has is no news, either.
  assert.equal((await ask(t, { "if-none-match": tag, range: "bytes=0-1" })).status, 304);
  const inner = tag.slice(3, -1);
  for (
    const other of [
      ...["", ",", '"', '"old"', inner, `"${inner}`, `"W/${strong}"`, `w/${strong}`, `${tag}x`],
      ...["%00", "é", ",".repeat(4_000), `"${"x".repeat(4_000)}"`],
    ]
  ) {
    const whole = await ask(t, { "if-none-match": other });
    assert.deepEqual([whole.status, whole.body], [200, "a page"], other);
  }
  const head = await ask(t, {}, { method: "HEAD" });
  assert.deepEqual([head.status, head.header("etag")], [200, tag]);
  assert.equal(head.header("content-length"), "6");
});

contract("static: a part of a file, unless it may have changed", config, async (t) => {
  if (t.host.embedded) return;
  const part = await ask(t, { range: "bytes=2-" });
  assert.deepEqual([part.status, part.body], [206, "page"]);
  const tag = String(part.header("etag"));
  for (const known of [tag, tag.slice(2), '"old"', String(part.header("last-modified"))]) {
    const whole = await ask(t, { range: "bytes=2-", "if-range": known });
    assert.deepEqual([whole.status, whole.body], [200, "a page"], known);
  }
  assert.equal((await ask(t, { range: "bytes=6-" })).status, 416);
});

contract("static: only what is served has a tag", config, async (t) => {
  if (t.host.embedded) return;
  for (
    const [method, path] of [
      ["GET", "/nothing.txt"],
      ["GET", "/100%25.txt"],
      ["GET", "/100%2525.txt"],
      ["POST", "/page.txt"],
    ]
  ) {
    const missing = await ask(t, { "if-none-match": "*" }, { method, path });
    assert.equal(missing.status, 404, `${method} ${path}`);
    assert.deepEqual([missing.header("etag"), missing.header("cache-control")], [
      null,
      null,
    ]);
  }
});
