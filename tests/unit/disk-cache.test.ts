import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
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
    assert.deepEqual(await readdir(folder), ["a.txt"]);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, "a.txt"))).mode & 0o777, 0o600);
  });
});

test("a text that is cut, changed, foreign or of another key is none, and is written anew", async () => {
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    await cache.write("a", "[1]");
    await cache.write("b", "[2]");
    const whole = await readFile(join(folder, "a.txt"), "utf8");
    const others = [
      whole.slice(0, -1),
      whole.replace("[1]", "[3]"),
      "[1]",
      "",
      `${"0".repeat(64)}\n[1]`,
      await readFile(join(folder, "b.txt"), "utf8"),
    ];
    for (const other of others) {
      await writeFile(join(folder, "a.txt"), other);
      assert.equal(await cache.read("a"), undefined, other);
      await cache.write("a", "[1]");
      assert.equal(await cache.read("a"), "[1]");
    }
  });
});

test("what others may write to, or is no file, is not read", async () => {
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    await cache.write("a", "[1]");
    const [file, elsewhere] = [join(folder, "a.txt"), join(folder, "..", "elsewhere")];
    await chmod(file, 0o620);
    assert.equal(await cache.read("a"), undefined);
    await chmod(file, 0o602);
    assert.equal(await cache.read("a"), undefined);
    await chmod(file, 0o644);
    assert.equal(await cache.read("a"), "[1]");
    await rename(file, elsewhere);
    await symlink(elsewhere, file);
    assert.equal(await cache.read("a"), undefined);
    await rm(file);
    await mkdir(file);
    assert.equal(await cache.read("a"), undefined);
    await rm(file, { recursive: true });
    await promisify(execFile)("mkfifo", [file]);
    assert.equal(await cache.read("a"), undefined);
    await cache.write("a", "[1]");
    assert.equal(await cache.read("a"), "[1]");
  });
});

test("a folder that others may write to, or that is a link, is not used", async () => {
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    await cache.write("a", "[1]");
    for (const mode of [0o770, 0o707, 0o777, 0o1777]) {
      await chmod(folder, mode);
      assert.equal(await cache.read("a"), undefined);
      await cache.write("b", "[2]");
      assert.deepEqual(await readdir(folder), ["a.txt"]);
    }
    await chmod(folder, 0o755);
    assert.equal(await cache.read("a"), "[1]");
    const [outer, real] = [dirname(folder), `${dirname(folder)}-real`];
    await chmod(outer, 0o775);
    assert.equal(diskCache(), undefined);
    await chmod(outer, 0o755);
    assert.ok(diskCache());
    await rename(outer, real);
    await symlink(real, outer);
    assert.equal(diskCache(), undefined);
  });
});

test("a folder of another user is not used", async () => {
  if (process.getuid?.() !== 0) {
    await withVariables({ WEIR_CACHE: "/usr" }, () => assert.equal(diskCache(), undefined));
    return;
  }
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    await cache.write("a", "[1]");
    await chown(join(folder, "a.txt"), 65_534, 65_534);
    assert.equal(await cache.read("a"), undefined);
    await chown(join(folder, "a.txt"), 0, 0);
    await chown(folder, 65_534, 65_534);
    assert.equal(await cache.read("a"), undefined);
    await chown(dirname(folder), 65_534, 65_534);
    assert.equal(diskCache(), undefined);
  });
});

test("a folder that cannot be written to keeps nothing", async () => {
  await withFolder(async (folder) => {
    const cache = diskCache();
    assert.ok(cache);
    await cache.write("a", "[1]");
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
      assert.deepEqual(await readdir(join(folder, "texts")), ["a.txt"]);
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
