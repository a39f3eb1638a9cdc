import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type Reading } from "../../src/commands/watch/changes.ts";

test("files are yielded at once, then whenever a text, a file or an included file changes", async () => {
  const disk = new Disk({ "a.hcl": "1" });
  await using watched = watch(disk);
  assert.deepEqual(await watched.next(), { "a.hcl": "1" });
  disk.files = { "a.hcl": "2" };
  assert.deepEqual(await watched.next(), { "a.hcl": "2" });
  disk.files = { "a.hcl": "2", "b.hcl": "" };
  assert.deepEqual(await watched.next(), { "a.hcl": "2", "b.hcl": "" });
  disk.files = { "b.hcl": "" };
  assert.deepEqual(await watched.next(), { "b.hcl": "" });

  watched.included.set("query.sql", undefined);
  disk.others = { "query.sql": "SELECT 1" };
  assert.deepEqual(await watched.next(), { "b.hcl": "" });
  watched.included.set("query.sql", "SELECT 1");
  disk.others = { "query.sql": "SELECT 2" };
  assert.deepEqual(await watched.next(), { "b.hcl": "" });
});

test("what does not change is not yielded again", async () => {
  const disk = new Disk({ "a.hcl": "1" });
  await using watched = watch(disk);
  await watched.next();
  const next = watched.next();
  await disk.looks(5);
  disk.files = { "a.hcl": "2" };
  assert.deepEqual(await next, { "a.hcl": "2" });
});

test("a file that is being written is waited for", async () => {
  const disk = new Disk({ "a.hcl": "1" });
  await using watched = watch(disk);
  await watched.next();
  // Each look finds more of it, until it is all there.
  const steps = ["", "n", "ne", "new"];
  disk.onLook = () => {
    const text = steps.shift();
    if (text !== undefined) disk.files = { "a.hcl": text };
  };
  assert.deepEqual(await watched.next(), { "a.hcl": "new" });
});

test("files that are gone are a change, and so is their return", async () => {
  const disk = new Disk({ "a.hcl": "1" });
  await using watched = watch(disk);
  await watched.next();
  disk.files = new Error("there is no such file");
  assert.deepEqual(await watched.next(), new Error("there is no such file"));
  disk.files = { "a.hcl": "1" };
  assert.deepEqual(await watched.next(), { "a.hcl": "1" });
});

test("a signal ends it, while it waits and before it began", async () => {
  const ending = new AbortController();
  const disk = new Disk({ "a.hcl": "1" });
  const watched = watch(disk, ending.signal, 60_000);
  await watched.next();
  const next = watched.next();
  ending.abort();
  assert.equal(await next, undefined);
  assert.equal(await watch(disk, ending.signal).next(), undefined);
});

/** Files that change when a test says so. */
class Disk {
  files: Readonly<Record<string, string>> | Error;
  others: Readonly<Record<string, string>> = {};
  onLook = (): void => {};
  #looks = 0;

  constructor(files: Readonly<Record<string, string>>) {
    this.files = files;
  }

  read = (): Promise<Reading> => {
    this.#looks++;
    this.onLook();
    const { files } = this;
    if (files instanceof Error) return Promise.resolve(files);
    const sources = Object.entries(files).map(([path, text]) => ({ path, text, folder: "." }));
    return Promise.resolve(sources);
  };

  /** Resolves once it has been looked at so many times more. */
  async looks(count: number): Promise<void> {
    const enough = this.#looks + count;
    while (this.#looks < enough) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function watch(disk: Disk, signal?: AbortSignal, every = 1) {
  const own = new AbortController();
  const included = new Map<string, string | undefined>();
  const found = changes({
    read: disk.read,
    included,
    readFile: (path) => Promise.resolve(disk.others[path]),
    signal: signal ?? own.signal,
    every,
    settle: 1,
  });
  return {
    included,
    /** The next files by path, their error, or undefined at the end. */
    async next(): Promise<unknown> {
      const { done, value } = await found.next();
      if (done || value === undefined || value instanceof Error) return value;
      return Object.fromEntries(value.map(({ path, text }) => [path, text]));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      own.abort();
      await found.return();
    },
  };
}
