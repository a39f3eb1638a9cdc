import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ConfigPathError, hostOptions, readConfigFiles } from "../../src/server/files.ts";

/** Runs `act` in a fresh folder with these files, and removes it. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  act: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "weir-files-")));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    await act(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The paths of the files found below a folder, relative to it. */
async function found(folder: string, ...paths: readonly string[]): Promise<string[]> {
  const files = await readConfigFiles(...paths.map((path) => join(folder, path)));
  return files.map(({ folder: own, path }) => join(own, basename(path)).slice(folder.length + 1));
}

test("a folder: every *.hcl and *.mycel below it, in path order", async () => {
  const files = {
    "z.hcl": "z",
    "a.mycel": "a",
    "b/2.hcl": "2",
    "b/10.hcl": "10",
    "b/c/deep.hcl": "deep",
    "B.hcl": "B",
    "notes.txt": "",
    "x.hcl.bak": "",
    hcl: "",
    ".git/config.hcl": "",
    "node_modules/p/p.hcl": "",
    "b/.cache/x.hcl": "",
    "b/node_modules/x.hcl": "",
  };
  await withFiles(files, async (folder) => {
    const expected = ["B.hcl", "a.mycel", "b/10.hcl", "b/2.hcl", "b/c/deep.hcl", "z.hcl"];
    assert.deepEqual(await found(folder, ""), expected.map((path) => join(path)));
    const read = await readConfigFiles(folder);
    assert.deepEqual(read.map(({ text }) => text), ["B", "a", "10", "2", "deep", "z"]);
    assert.equal(read[2].folder, join(folder, "b"));
  });
});

test("a file is read whatever its name; paths keep their order", async () => {
  await withFiles({ "a.hcl": "a", "conf.txt": "c", "d/d.hcl": "d" }, async (folder) => {
    assert.deepEqual(await found(folder, "conf.txt", "d", "a.hcl"), [
      "conf.txt",
      join("d", "d.hcl"),
      "a.hcl",
    ]);
  });
});

test("a file below two of the paths is read once", async () => {
  await withFiles({ "d/a.hcl": "a", "d/b.hcl": "b" }, async (folder) => {
    const both = [join("d", "b.hcl"), join("d", "a.hcl")];
    assert.deepEqual(await found(folder, "d/b.hcl", "d"), both);
  });
});

test("the text is UTF-8, and any kind of line ends stays as it is", async () => {
  const text = "# ä😀\r\n\n";
  await withFiles({ "a.hcl": text }, async (folder) => {
    assert.equal((await readConfigFiles(folder))[0].text, text);
  });
});

test("a folder that is called like a file is a folder; a linked file is a file", async () => {
  await withFiles({ "odd.hcl/in.hcl": "in", "real/file.hcl": "linked" }, async (folder) => {
    await symlink(join(folder, "real/file.hcl"), join(folder, "odd.hcl/link.hcl"));
    const read = await readConfigFiles(join(folder, "odd.hcl"));
    assert.deepEqual(read.map(({ text }) => text), ["in", "linked"]);
  });
});

test("a path below the working directory is shown short, another one in full", async () => {
  const page = join(import.meta.dirname ?? "", "..", "fixtures", "page", "page.hcl");
  const [inside] = await readConfigFiles(page);
  assert.equal(resolve(inside.path), page);
  assert.equal(isAbsolute(inside.path), !page.startsWith(process.cwd()));
  await withFiles({ "a.hcl": "" }, async (folder) => {
    const [outside] = await readConfigFiles(folder);
    assert.equal(outside.path, join(folder, "a.hcl"));
  });
});

test("a path that is nothing, and a folder without a configuration", async () => {
  await withFiles({ "notes.txt": "", "empty/x.txt": "", "a.hcl": "" }, async (folder) => {
    const absent = join(folder, "absent");
    await assert.rejects(readConfigFiles(absent), {
      name: "ConfigPathError",
      message: `${absent}: there is no such file or folder`,
    });
    const empty = join(folder, "empty");
    await assert.rejects(readConfigFiles(empty), {
      name: "ConfigPathError",
      message: `${empty}: there is no .hcl or .mycel file`,
    });
    await assert.rejects(readConfigFiles(join(folder, "a.hcl"), empty), ConfigPathError);
    await assert.rejects(readConfigFiles(join(folder, "a.hcl/x")), ConfigPathError);
    await assert.rejects(readConfigFiles("\0"), ConfigPathError);
  });
});

test("no path at all is no file", async () => {
  assert.deepEqual(await readConfigFiles(), []);
});

test("hostOptions reads this machine's environment and files", async () => {
  const name = `WEIR_FILES_TEST_${process.pid}`;
  assert.equal(hostOptions.env(name), undefined);
  process.env[name] = "set";
  try {
    assert.equal(hostOptions.env(name), "set");
  } finally {
    delete process.env[name];
  }
  await withFiles({ "key.pem": "key" }, async (folder) => {
    assert.equal(await hostOptions.readFile(join(folder, "key.pem")), "key");
    await assert.rejects(async () => await hostOptions.readFile(join(folder, "absent")));
  });
});
