/** Folders at paths that users write. */
import assert from "node:assert/strict";
import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { makeFolder } from "../../src/base/folder.ts";

test("a folder is created with those above it, and one that exists is left as it is", async () => {
  const root = await mkdtemp(join(tmpdir(), "weir-folder-"));
  try {
    const folder = join(root, "a/b c/Büro");
    makeFolder(folder, 0o700);
    makeFolder(folder);
    makeFolder(`${folder}/`);
    makeFolder(join(folder, "../x/../y"));
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.ok((await stat(join(root, "a/b c/y"))).isDirectory());
    await symlink(folder, join(root, "link"));
    makeFolder(join(root, "link"));
    makeFolder(join(root, "link/inside"));
    assert.ok((await stat(join(folder, "inside"))).isDirectory());
    makeFolder("/");
    makeFolder(".");

    await writeFile(join(root, "file"), "");
    await symlink(join(root, "nowhere"), join(root, "dangling"));
    await symlink("circle", join(root, "circle"));
    for (
      const [path, code] of [
        ["file", "EEXIST"],
        ["file/inside", "ENOTDIR"],
        ["dangling", "EEXIST"],
        ["dangling/inside", "EEXIST"],
        ["circle", "EEXIST"],
        ["circle/inside", "ELOOP"],
        ["x".repeat(300), "ENAMETOOLONG"],
      ]
    ) assert.throws(() => makeFolder(join(root, path)), { code }, path);
  } finally {
    await rm(root, { recursive: true });
  }
});

test("a file system that creates no folders is an error, not an endless loop", {
  skip: process.platform !== "linux" && "only Linux has /proc",
}, () => {
  assert.throws(() => makeFolder("/proc/self/weir/data"), { code: "ENOENT" });
});
