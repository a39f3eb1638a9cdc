/** `weir init`. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { TEMPLATES } from "../../src/commands/usage.ts";
import { openStage, ready, root, stageTest } from "../support/process.ts";
import { withoutTemplateWarning } from "../support/template-warnings.ts";
import { needTool } from "../support/toolchain.ts";
import { runInSession } from "../support/weir-session.ts";

/** What a project has besides the files of its example. */
const PROJECT_FILES = [".env.example", ".gitignore", "bunfig.toml", "deno.json", "package.json"];

for (const template of TEMPLATES) {
  stageTest(`init: ${template} is good, passes its tests and runs`, async (stage) => {
    const made = await runInSession(stage, ["init", "my/server", "--template", template]);
    assert.deepEqual([made.code, made.stderr], [0, ""]);
    const folder = join(stage.folder, "my/server");
    const files = await filesOf(folder);
    const example = join(root, "examples", template);
    const expected = (await filesOf(example)).filter((file) => !file.startsWith("data/"));
    assert.deepEqual(files, [...expected, ...PROJECT_FILES].sort());
    for (const file of files) {
      assert.ok(made.stdout.includes(`  ${join("my/server", file)}\n`), made.stdout);
      if (file === "README.md" || PROJECT_FILES.includes(file)) continue;
      const text = await readFile(join(example, file), "utf8");
      assert.equal(await readFile(join(folder, file), "utf8"), text, file);
    }
    const readme = await readFile(join(folder, "README.md"), "utf8");
    assert.doesNotMatch(readme, /checkout|examples\/|src\//);
    // Every variable of .env.example is read.
    const variables = await readFile(join(folder, ".env.example"), "utf8");
    const database = `${template.toUpperCase()}_DB=./data/${template}.db`;
    assert.deepEqual(variables.match(/^\w+=.*$/gm), ["PORT=3000", database]);
    await writeFile(join(folder, ".env"), "PORT=0\n" + database.replace("data/", "my.data/"));

    const checked = await runInSession(stage, ["check", folder]);
    assert.deepEqual([checked.code, withoutTemplateWarning(template, checked.stderr)], [0, ""]);
    if (stage.runtime === "deno") {
      const formatted = await stage.command(await needTool("deno"), ["fmt", "--check"], {
        cwd: folder,
      }).ended();
      assert.equal(formatted.code, 0, formatted.stderr);
    }
    const tested = await runInSession(stage, ["test", folder]);
    assert.deepEqual([tested.code, tested.stderr], [0, ""], tested.stdout);
    // The command that it prints does what it says.
    const [line] = /^ {2}\S.* run --watch my\/server$/m.exec(made.stdout) ?? [];
    assert.ok(line !== undefined, made.stdout);
    const [program, ...args] = line.trim().split(" ");
    assert.equal(program, stage.runtime);
    const env = ["--env-file", "my/server/.env"];
    const weir = await ready(stage.command(await needTool(stage.runtime), [...args, ...env]));
    const page = await fetch(`http://localhost:${weir.port}/`);
    assert.equal(await page.text(), await readFile(join(folder, "public/index.html"), "utf8"));
    assert.ok((await readdir(join(folder, "my.data"))).includes(`${template}.db`));
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0, weir.output);
  });
}

stageTest("init: what exists is never overwritten, and all of it is named", async (stage) => {
  const folder = join(stage.folder, "taken");
  const refused = (list: string) => ({
    code: 2,
    signal: null,
    stdout: "",
    stderr: `error[usage-error]: ${list}; init does not overwrite files\n`,
  });
  await mkdir(join(folder, "public"), { recursive: true });
  const mine = ["public/chat.css", "README.md", ".gitignore"];
  const lists = [
    "taken/public/chat.css already exists",
    "taken/README.md and taken/public/chat.css already exist",
    "taken/.gitignore, taken/README.md and taken/public/chat.css already exist",
  ];
  for (const [index, file] of mine.entries()) {
    await writeFile(join(folder, file), "mine");
    assert.deepEqual(await runInSession(stage, ["init", "taken"]), refused(lists[index]));
    assert.deepEqual(await filesOf(folder), mine.slice(0, index + 1).sort());
  }
  for (const file of mine) assert.equal(await readFile(join(folder, file), "utf8"), "mine");

  // Other files are left alone.
  await mkdir(join(stage.folder, "used"));
  await writeFile(join(stage.folder, "used/LICENSE"), "mine");
  const used = await runInSession(stage, ["init", "used", "--template", "iot"]);
  assert.equal(used.code, 0, used.stderr);
  assert.equal(await readFile(join(stage.folder, "used/LICENSE"), "utf8"), "mine");
  assert.equal((await runInSession(stage, ["init", "used", "--template", "iot"])).code, 2);
});

stageTest("init: the working directory can be the folder", async (stage) => {
  const cwd = join(stage.folder, "Büro 2");
  await mkdir(cwd);
  const { code, stdout, stderr } = await runInSession(stage, ["init", "."], { cwd });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^created \. from/);
  assert.match(stdout, /\n {2}README\.md\n/);
  const manifest = JSON.parse(await readFile(join(cwd, "package.json"), "utf8"));
  assert.equal(manifest.name, "buro-2");
});

stageTest("init: a folder that cannot be made ends it with 2", async (stage) => {
  await writeFile(join(stage.folder, "file"), "");
  assert.deepEqual(await runInSession(stage, ["init", "file"]), {
    code: 2,
    signal: null,
    stdout: "",
    stderr:
      "error[usage-error]: cannot create file/.env.example: a file is in the place of a folder\n",
  });
});

test("init: a working directory that was removed ends it with 2, on node", async () => {
  const stage = await openStage("node");
  try {
    const command = `mkdir gone && cd gone && rmdir ../gone && exec "$@"`;
    for (const args of [["init", "my-app"], ["check"]]) {
      const program = [await needTool("node"), join(root, "src/cli.ts"), ...args];
      const exit = await stage.command("sh", ["-c", command, "sh", ...program]).ended();
      const stderr =
        "error[usage-error]: the working directory does not exist; go to another one\n";
      assert.deepEqual(exit, { code: 2, signal: null, stdout: "", stderr });
    }
  } finally {
    await stage.end();
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
