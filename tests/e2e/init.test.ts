/** `weir init`. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TEMPLATES } from "../../src/commands/arguments.ts";
import { ready, root, stageTest } from "../support/process.ts";
import { needTool } from "../support/toolchain.ts";

for (const template of TEMPLATES) {
  stageTest(`init: ${template} is good, passes its tests and runs`, async (stage) => {
    const made = await stage.weir(["init", "my/server", "--template", template]);
    assert.deepEqual([made.code, made.stderr], [0, ""]);
    const folder = join(stage.folder, "my/server");
    const files = await filesOf(folder);
    for (const file of files) {
      const example = await readFile(join(root, "examples", template, file), "utf8");
      assert.equal(await readFile(join(folder, file), "utf8"), example, file);
      assert.ok(made.stdout.includes(`  ${join("my/server", file)}\n`), made.stdout);
    }
    for (const file of ["README.md", `${template}.hcl`, "tests.hcl", "public/index.html"]) {
      assert.ok(files.includes(file), `${file} in ${files}`);
    }

    const checked = await stage.weir(["check", "--strict", folder]);
    assert.deepEqual([checked.code, checked.stderr], [0, ""]);
    const tested = await stage.weir(["test", folder]);
    assert.deepEqual([tested.code, tested.stderr], [0, ""], tested.stdout);
    // The command that it prints does what it says.
    const [line] = /^ {2}\S.* run --watch my\/server$/m.exec(made.stdout) ?? [];
    assert.ok(line !== undefined, made.stdout);
    const [program, ...args] = line.trim().split(" ");
    assert.equal(program, stage.runtime);
    const ports = /^connector "(\w+)" \{\n {2}type {3}= "websocket"/m
      .exec(await readFile(join(folder, `${template}.hcl`), "utf8"));
    const connector = template === "iot" ? "pages" : ports?.[1];
    const weir = await ready(
      stage.command(await needTool(stage.runtime), [...args, "--port", `${connector}=0`]),
    );
    const page = await fetch(`http://localhost:${weir.port}/`);
    assert.equal(await page.text(), await readFile(join(folder, "public/index.html"), "utf8"));
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0, weir.output);
  });
}

stageTest("init: what is there already is never written over", async (stage) => {
  const folder = join(stage.folder, "taken");
  await mkdir(join(folder, "public"), { recursive: true });
  await writeFile(join(folder, "public/chat.css"), "mine");
  const exit = await stage.weir(["init", "taken"]);
  const path = join("taken", "public/chat.css");
  assert.deepEqual(exit, {
    code: 2,
    signal: null,
    stdout: "",
    stderr: `error[usage-error]: ${path} already exists; init does not overwrite files\n`,
  });
  assert.deepEqual(await filesOf(folder), ["public/chat.css"]);
  assert.equal(await readFile(join(folder, "public/chat.css"), "utf8"), "mine");

  // What is none of the template's own is in nobody's way.
  await mkdir(join(stage.folder, "used"));
  await writeFile(join(stage.folder, "used/LICENSE"), "mine");
  const used = await stage.weir(["init", "used", "--template", "iot"]);
  assert.equal(used.code, 0, used.stderr);
  assert.equal(await readFile(join(stage.folder, "used/LICENSE"), "utf8"), "mine");
  assert.equal((await stage.weir(["init", "used", "--template", "iot"])).code, 2);
});

stageTest("init: a folder that cannot be made ends it with 2", async (stage) => {
  await writeFile(join(stage.folder, "file"), "");
  await mkdir(join(stage.folder, "half"));
  await writeFile(join(stage.folder, "half/public"), "");
  for (const folder of ["file", "file/inside", "half"]) {
    const { code, stdout, stderr } = await stage.weir(["init", folder]);
    assert.deepEqual([code, stdout], [2, ""], folder);
    assert.match(
      stderr,
      new RegExp(`^error\\[usage-error\\]: cannot create ${folder}\\S*: .*\\n$`),
      folder,
    );
  }
  assert.deepEqual(await filesOf(join(stage.folder, "half")), ["public"]);
  for (
    const [args, message] of [
      [[], /^error\[usage-error\]: init needs a folder/],
      [["a", "b"], /^error\[usage-error\]: init takes one folder; remove "b"\n$/],
      [["a", "--template", "blog"], /^error\[usage-error\]: --template must be one of chat, /],
    ] as const
  ) {
    const { code, stderr } = await stage.weir(["init", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, message);
  }
});

stageTest("init: a folder's name is quoted where a shell needs it", async (stage) => {
  const { code, stdout } = await stage.weir(["init", "Ada's server"]);
  assert.equal(code, 0);
  assert.match(stdout, / run --watch 'Ada'\\''s server'\n/);
});

/** All files below a folder, with slashes. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
