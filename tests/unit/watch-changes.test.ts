import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, WatchedFiles } from "../../src/commands/watch/changes.ts";

const FILE = { kind: "file", path: "a.hcl" } as const;
const OTHER = { kind: "file", path: "query.sql" } as const;

test("a change is yielded at once, then whenever a file that is watched changes", async () => {
  const disk = new Disk({ "a.hcl": "1", "query.sql": "1" });
  await using watched = watch(disk);
  assert.equal(await watched.next(), true);
  await watched.files.note(FILE);
  disk.stamps["a.hcl"] = "2";
  assert.equal(await watched.next(), true);
  watched.files.clear();
  await watched.files.note(FILE);
  await watched.files.note(OTHER);
  disk.stamps["query.sql"] = "2";
  assert.equal(await watched.next(), true);
  watched.files.clear();
  await watched.files.note(OTHER);
  delete disk.stamps["query.sql"];
  assert.equal(await watched.next(), true);
});

test("what does not change is not yielded again, nor what is not watched any more", async () => {
  const disk = new Disk({ "a.hcl": "1", "query.sql": "1" });
  await using watched = watch(disk);
  await watched.next();
  await watched.files.note(OTHER);
  watched.files.clear();
  await watched.files.note(FILE);
  let yielded = false;
  const next = watched.next().then(() => yielded = true);
  disk.stamps["query.sql"] = "2";
  await disk.looks(5);
  assert.equal(yielded, false);
  disk.stamps["a.hcl"] = "2";
  await next;
});

test("a change between a read and the first check is yielded", async () => {
  const disk = new Disk({ "a.hcl": "1" });
  await using watched = watch(disk);
  await watched.next();
  await watched.files.note(FILE);
  disk.stamps["a.hcl"] = "2";
  // A file that is read twice counts as it was at first.
  await watched.files.note(FILE);
  assert.equal(await watched.next(), true);
});

test("a file that is being written is waited for", async () => {
  const disk = new Disk({ "a.hcl": "1" });
  await using watched = watch(disk);
  await watched.next();
  await watched.files.note(FILE);
  // Each look finds more of it, until it is all there.
  const steps = ["", "n", "ne", "new"];
  disk.onLook = () => {
    const text = steps.shift();
    if (text !== undefined) disk.stamps["a.hcl"] = text;
  };
  await watched.next();
  assert.equal(disk.stamps["a.hcl"], "new");
});

test("a signal ends it, while it waits and before it began", async () => {
  const ending = new AbortController();
  const disk = new Disk({ "a.hcl": "1" });
  const watched = watch(disk, ending.signal, 60_000);
  await watched.next();
  const next = watched.next();
  ending.abort();
  assert.equal(await next, false);
  assert.equal(await watch(disk, ending.signal).next(), false);
});

/** Files that change when a test says so. */
class Disk {
  readonly stamps: Record<string, string>;
  onLook = (): void => {};
  #looks = 0;

  constructor(stamps: Record<string, string>) {
    this.stamps = stamps;
  }

  stampOf = (path: string): Promise<string> => {
    this.#looks++;
    this.onLook();
    return Promise.resolve(this.stamps[path] ?? "missing");
  };

  /** Resolves once it has been looked at so many times more. */
  async looks(count: number): Promise<void> {
    const enough = this.#looks + count;
    while (this.#looks < enough) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function watch(disk: Disk, signal?: AbortSignal, every = 1) {
  const own = new AbortController();
  const files = new WatchedFiles((watched) =>
    disk.stampOf(watched.kind === "configuration" ? "" : watched.path)
  );
  const found = changes({ files, signal: signal ?? own.signal, every, settle: 1 });
  return {
    files,
    /** Resolves with the next change; false at the end. */
    async next(): Promise<boolean> {
      return !(await found.next()).done;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      own.abort();
      await found.return();
    },
  };
}
