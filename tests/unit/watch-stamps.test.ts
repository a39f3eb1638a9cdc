import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf, stampOf, type Watched } from "../../src/commands/watch/stamps.ts";

/** Makes a change; returns whether the stamp is another one. */
type Changes = (change: () => Promise<unknown>) => Promise<boolean>;

async function withFolder(
  run: (folder: string, watching: (watched: Watched) => Changes) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-stamps-"));
  try {
    await run(folder, (watched) => async (change) => {
      const before = await stampOf(watched);
      // Longer than a tick of the clock that files get their times from.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await change();
      return await stampOf(watched) !== before;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a file changes with its text, its replacement, its removal and its return", async () => {
  await withFolder(async (folder, watching) => {
    const path = join(folder, "a.pem");
    const changes = watching({ kind: "file", path });
    assert.equal(await changes(() => writeFile(path, "one")), true);
    assert.equal(await changes(() => writeFile(path, "two")), true);
    assert.equal(await changes(() => writeFile(join(folder, "b.pem"), "two")), false);
    // As tools that keep the times of what they copy.
    const past = new Date("2020-01-01T00:00:00Z");
    await utimes(path, past, past);
    await utimes(join(folder, "b.pem"), past, past);
    assert.equal(await changes(() => rename(join(folder, "b.pem"), path)), true);
    assert.equal(await changes(() => rm(path)), true);
    assert.equal(await changes(() => mkdir(path)), true);
  });
});

test("a folder of migrations changes with its SQL files alone", async () => {
  await withFolder(async (folder, watching) => {
    const changes = watching({ kind: "files", path: folder, ending: ".sql" });
    assert.equal(await changes(() => writeFile(join(folder, "1.sql"), "")), true);
    assert.equal(await changes(() => writeFile(join(folder, "notes.txt"), "")), false);
    assert.equal(await changes(() => writeFile(join(folder, "1.sql"), "SELECT 1")), true);
    assert.equal(
      await changes(() => rename(join(folder, "1.sql"), join(folder, "2.sql"))),
      true,
    );
    assert.equal(await changes(() => rm(folder, { recursive: true })), true);
    assert.equal(await changes(() => mkdir(folder)), true);
  });
});

test("a folder of files to serve changes when it comes and goes, not with its files", async () => {
  await withFolder(async (parent, watching) => {
    const folder = join(parent, "page");
    const changes = watching({ kind: "folder", path: folder });
    assert.equal(await changes(() => mkdir(folder)), true);
    assert.equal(await changes(() => writeFile(join(folder, "index.html"), "")), false);
    assert.equal(await changes(() => rm(folder, { recursive: true })), true);
    assert.equal(await changes(() => writeFile(folder, "")), true);
  });
});

test("a configuration changes with its files, also in folders inside, and with nothing else", async () => {
  await withFolder(async (folder, watching) => {
    const changes = watching({ kind: "configuration", paths: [folder] });
    assert.equal(await changes(() => writeFile(join(folder, "a.hcl"), "")), true);
    assert.equal(await changes(() => mkdir(join(folder, "more"))), false);
    assert.equal(await changes(() => writeFile(join(folder, "more/b.mycel"), "")), true);
    assert.equal(await changes(() => writeFile(join(folder, "a.txt"), "")), false);
    assert.equal(await changes(() => writeFile(join(folder, ".a.hcl"), "")), false);
    assert.equal(await changes(() => rm(join(folder, "more"), { recursive: true })), true);
    assert.equal(await changes(() => rm(folder, { recursive: true })), true);
    assert.equal(await changes(() => mkdir(folder)), true);
  });
});

test("the content of a file is the same whenever it was written", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "1.sql");
    const file = { kind: "file", path } as const;
    const files = { kind: "files", path: folder, ending: ".sql" } as const;
    const missing = await contentOf(file);
    await writeFile(path, "SELECT 1");
    const one = [await contentOf(file), await contentOf(files)];
    await writeFile(path, "SELECT 2");
    const two = [await contentOf(file), await contentOf(files)];
    assert.equal(new Set([missing, ...one, ...two]).size, 5);
    await writeFile(path, "SELECT 1");
    assert.deepEqual([await contentOf(file), await contentOf(files)], one);
    await rm(path);
    assert.equal(await contentOf(file), missing);
    // A device may have no end.
    assert.equal(await contentOf({ kind: "file", path: "/dev/zero" }), "no file");
  });
});
