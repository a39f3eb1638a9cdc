import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { diskCache } from "../../src/commands/disk-cache.ts";

/** Runs with these variables alone of those that say where the cache is. */
async function withVariables(
  variables: Readonly<Record<string, string>>,
  act: () => void | Promise<void>,
): Promise<void> {
  const names = ["WEIR_CACHE", "XDG_CACHE_HOME"];
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) delete process.env[name];
  Object.assign(process.env, variables);
  try {
    await act();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Runs with a cache folder of its own. */
async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-cache-"));
  try {
    await withVariables({ XDG_CACHE_HOME: folder }, () => act(join(folder, "weir", "texts")));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("texts are kept where only their user can read them", async () => {
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    assert.equal(await cache.read("a"), undefined);
    await cache.write("a", '{"x":1}');
    assert.equal(await cache.read("a"), '{"x":1}');
    assert.deepEqual(await readdir(folder), ["a.json"]);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, "a.json"))).mode & 0o777, 0o600);
  });
});

test("half a text is none, and a folder that cannot be written to keeps nothing", async () => {
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    await cache.write("a", "[1]");
    await writeFile(join(folder, "a.json"), "[1");
    assert.equal(await cache.read("a"), undefined);
    await rm(folder, { recursive: true });
    await writeFile(folder, "no folder");
    await cache.write("b", "[1]");
    assert.equal(await cache.read("b"), undefined);
  });
});

test("old texts make room", async () => {
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    for (let n = 0; n < 140; n++) await cache.write(`k${n}`, String(n));
    assert.equal((await readdir(folder)).length, 128);
    assert.equal(await cache.read("k139"), "139");
  });
});

test("WEIR_CACHE names the folder; off, or a path that is relative, keeps nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-cache-"));
  try {
    await withVariables({ WEIR_CACHE: folder, XDG_CACHE_HOME: "/nowhere" }, async () => {
      await diskCache()?.write("a", "[1]");
      assert.deepEqual(await readdir(join(folder, "texts")), ["a.json"]);
    });
    for (const WEIR_CACHE of ["off", "cache", "./cache"]) {
      await withVariables({ WEIR_CACHE, XDG_CACHE_HOME: folder }, () => {
        assert.equal(diskCache(), undefined);
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
