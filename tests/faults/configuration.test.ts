/** The entries of "Configuration": what a path may lead to instead of a configuration. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Stage } from "../support/process.ts";
import { printed } from "../support/problems.ts";
import { runInSession } from "../support/weir-session.ts";
import { processFault, runtime } from "./stage.ts";

const GOOD = `connector "ws" {
  type = "websocket"
  port = 0
}
`;

/** Checks files with these names and texts. Returns the code and the place of each problem. */
async function check(
  stage: Stage,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<readonly string[]> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(stage.folder, name), text);
  }
  const { code, stdout, stderr } = await runInSession(stage, ["check", stage.folder]);
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.doesNotMatch(stderr, /^ {4}at /m);
  return printed(stderr).map(({ code, message, where }) => {
    const place = `${code} ${where.slice(where.lastIndexOf("/") + 1)}`;
    // These codes have many reasons.
    const reason = /^(?:file-not-readable|too-large)$/.test(code);
    return reason ? `${place} ${message.slice(message.lastIndexOf(": ") + 1).trim()}` : place;
  });
}

function constants(value: string): string {
  return `constants {\n  a = ${value}\n}\n`;
}

/** Each constant is made of two of the one before it. */
function doubling(first: string, next: (name: string) => string): string {
  const names = Array.from({ length: 60 }, (_, index) => index);
  const lines = names.map((n) => `  a${n + 1} = ${next(`constants.a${n}`)}\n`);
  return `constants {\n  a0 = ${first}\n${lines.join("")}}\n`;
}

async function makePipe(path: string): Promise<void> {
  await promisify(execFile)("mkfifo", [path]);
}

processFault(
  "a pipe, a device, a socket, a folder or a broken link called `*.hcl` → one problem for each",
  async (stage) => {
    const at = (name: string) => join(stage.folder, name);
    await makePipe(at("pipe.hcl"));
    await symlink("/dev/zero", at("device.hcl"));
    await mkdir(at("inner"));
    await symlink("inner", at("folder.hcl"));
    await symlink("nowhere", at("link.hcl"));
    await symlink("loop.hcl", at("loop.hcl"));
    const socket = createServer().listen(at("socket.hcl"));
    await new Promise((resolve) => socket.once("listening", resolve));
    const found = await check(stage, { "good.hcl": GOOD, "wrong.hcl": "wrong {\n}\n" });
    socket.close();
    assert.deepEqual(found, [
      "file-not-readable device.hcl it is a device, not a regular file",
      "file-not-readable folder.hcl it is a folder, not a regular file",
      "file-not-readable link.hcl there is no such file",
      "file-not-readable loop.hcl its symbolic links lead in a circle",
      "file-not-readable pipe.hcl it is a named pipe, not a regular file",
      "file-not-readable socket.hcl it is a socket, not a regular file",
      "unknown-block wrong.hcl:1:1",
    ]);
  },
);

processFault(
  "`file()` of a pipe, a device or a large file → a problem at its line",
  async (stage) => {
    await makePipe(join(stage.folder, "pipe"));
    await writeFile(join(stage.folder, "large"), "");
    await truncate(join(stage.folder, "large"), 17 * 2 ** 20);
    const lines = ["pipe", "/dev/zero", ".", "large"].map((path, n) =>
      `  a${n} = file("${path}")\n`
    );
    assert.deepEqual(await check(stage, { "a.hcl": `constants {\n${lines.join("")}}\n` }), [
      "file-not-readable a.hcl:2:13 it is a named pipe, not a regular file",
      "file-not-readable a.hcl:3:13 it is a device, not a regular file",
      "file-not-readable a.hcl:4:13 it is a folder, not a regular file",
      "file-not-readable a.hcl:5:13 it has more than 16 MB",
    ]);
  },
);

processFault(
  "a file over 16 MB, one that is not UTF-8, one with more than 100 000 blocks → one problem for each",
  async (stage) => {
    await writeFile(join(stage.folder, "large.hcl"), "");
    await truncate(join(stage.folder, "large.hcl"), 17 * 2 ** 20);
    const files = {
      "blocks.hcl": "a {\n}\n".repeat(100_001),
      "more.hcl": "a {\n}\n",
      "noise.hcl": Uint8Array.of(97, 32, 255, 254),
    };
    assert.deepEqual(await check(stage, files), [
      "too-large blocks.hcl:200001:3 the configuration has more than 100000 blocks",
      "file-not-readable large.hcl it has more than 16 MB",
      "file-not-readable noise.hcl it is not UTF-8 text",
    ]);
  },
);

processFault(
  "100 000 brackets, operators, steps or labels → a problem at its place, the next file is read",
  async (stage) => {
    const deep = {
      "and.hcl": constants(`true${" && true".repeat(100_000)}`),
      "bracket.hcl": constants("[".repeat(100_000)),
      "condition.hcl": constants(`${"true ? 1 : ".repeat(100_000)}1`),
      "if.hcl": constants(`"${"%{if true}".repeat(5_000)}x${"%{endif}".repeat(5_000)}"`),
      "index.hcl": constants(`a${"[0]".repeat(100_000)}`),
      "label.hcl": `a ${'"b" '.repeat(100_000)}{\n}\n`,
      "minus.hcl": constants(`${"-".repeat(100_000)}1`),
      "not.hcl": constants(`${"!".repeat(100_000)}true`),
      "paren.hcl": constants("(".repeat(1_000_000)),
      "plus.hcl": constants(`1${"+1".repeat(100_000)}`),
      "step.hcl": constants(`a${".b".repeat(100_000)}`),
      "template.hcl": constants(`"${"${".repeat(100_000)}`),
    };
    const found = await check(stage, { ...deep, "zzz.hcl": "wrong = ?\n" });
    assert.equal(found.length, Object.keys(deep).length + 1, found.join("\n"));
    for (const [index, name] of Object.keys(deep).entries()) {
      const line = name === "label.hcl" ? 1 : 2;
      assert.ok(found[index].startsWith(`too-large ${name}:${line}:`), found[index]);
    }
    assert.equal(found.at(-1), "syntax-error zzz.hcl:1:9");
  },
);

processFault(
  "constants that double from line to line → one problem, at the line that is too much",
  async (stage) => {
    const twice = (name: string) => `[${name}, ${name}]`;
    const files = { "a.hcl": doubling('"ha"', (name) => `"\${${name}}\${${name}}"`) };
    assert.deepEqual(await check(stage, files), [
      "too-large a.hcl:25:9 the value has more than 16 MB",
    ]);
    const list = `${doubling("[1]", twice)}connector "ws" {\n  type = constants.a60\n}\n`;
    assert.deepEqual(await check(stage, { "a.hcl": list }), [
      "too-large a.hcl:24:9 the value has more than 16 MB",
    ]);
  },
);

processFault(
  "an endless heredoc, a million `$`, lines or items → one problem for each file",
  async (stage) => {
    const files = {
      "digits.hcl": constants("1".repeat(1_000_000)),
      "empty.hcl": "\n".repeat(10_000_000),
      "string.hcl": constants(`"${"$".repeat(1_000_000)}"`),
      // The limit that the file before it has reached is not reported twice.
      "text.hcl": `constants {\n  a = <<EOT\n${"text\n".repeat(200_000)}`,
    };
    const withoutPlace = (line: string) => line.replace(/:\d+:\d+/, "");
    assert.deepEqual((await check(stage, files)).map(withoutPlace), [
      "too-large digits.hcl the number has more than 1000 digits",
      "too-large empty.hcl the file has more than 2000000 words, symbols and lines",
      "too-large string.hcl the texts up to this place have too many lines, $ and %",
    ]);
    const others = {
      "digits.hcl": `constants {\n  b = "${"x".repeat(2 ** 21)}"\n}\nwrong = ?\n`,
      "empty.hcl": constants(`[${"1,".repeat(1_000_000)}]`),
      "string.hcl": constants("[2]"),
      "text.hcl": "",
    };
    assert.deepEqual((await check(stage, others)).map(withoutPlace), [
      "syntax-error digits.hcl",
      "too-large empty.hcl the values up to this place are too large",
    ]);
  },
);

processFault(
  "2 000 mistakes → the first thousand are reported, and that there are more",
  async (stage) => {
    const text = Array.from({ length: 2_000 }, (_, n) => `a${n} {\n}\n`).join("");
    await writeFile(join(stage.folder, "a.hcl"), text);
    const { code, stdout, stderr } = await runInSession(stage, ["check", stage.folder]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.doesNotMatch(stderr, /^ {4}at /m);
    assert.equal(stderr.match(/^error\[unknown-block\]: /gm)?.length, 1_000);
    assert.match(
      stderr,
      /\n\nerror\[too-many-problems\]: there are more than 1000 problems[^\n]*\n\n1001 problems\n$/,
    );
  },
);

processFault(
  "`--env-file` that is a pipe, a device or large → exit 2, with the reason",
  async (stage) => {
    await writeFile(join(stage.folder, "a.hcl"), GOOD);
    const [pipe, large] = [join(stage.folder, "pipe"), join(stage.folder, "large")];
    await makePipe(pipe);
    await writeFile(large, "");
    await truncate(large, 17 * 2 ** 20);
    const reasons = [["/dev/null", "it is a device, not a regular file"], [
      large,
      "it has more than 16 MB",
    ]];
    // Node reads the file of this flag by itself, before any program: there it waits for the pipe.
    if (runtime !== "node") reasons.push([pipe, "it is a named pipe, not a regular file"]);
    for (const [path, reason] of reasons) {
      const { code, stderr } = await stage.weir(["check", stage.folder, "--env-file", path]);
      assert.equal(stderr, `error[usage-error]: --env-file ${path}: ${reason}\n`);
      assert.equal(code, 2);
    }
  },
);

processFault("a migration that is a pipe → exit 3, the file named", async (stage) => {
  await mkdir(join(stage.folder, "migrations"));
  await makePipe(join(stage.folder, "migrations/1.sql"));
  const config = `${GOOD}connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = ":memory:"
  migrations = "migrations"
}
`;
  await writeFile(join(stage.folder, "a.hcl"), config);
  const { code, stderr } = await stage.weir(["run", stage.folder]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /migration "1\.sql" cannot be read: it is a named pipe, not a regular file/);
});

processFault(
  "a cache that others may write to, or with damaged or foreign files → not used, and the same result",
  async (stage) => {
    const [cache, folder] = [join(stage.folder, "cache"), join(stage.folder, "config")];
    const texts = join(cache, "weir/texts");
    const [env, args] = [{ WEIR_CACHE: join(cache, "weir") }, ["check", folder]];
    await mkdir(folder);
    await writeFile(join(folder, "a.hcl"), `constants {\n  a = [1]\n}\n${GOOD}`);
    const good = {
      code: 0,
      signal: null,
      stdout: "good: 1 connector, 0 flows, 0 tests\n",
      stderr: "",
    };
    assert.deepEqual(await stage.weir(args, { env }), good);
    const names = await readdir(texts);
    assert.equal(names.length, 2);
    const before = await Promise.all(names.map((name) => readFile(join(texts, name), "utf8")));
    // A tree of another value, cut files, and one that another user could have written.
    for (const forged of ["null", '{"type":"literalValue"}', "", "0".repeat(64) + "\nnull"]) {
      for (const name of names) await writeFile(join(texts, name), forged);
      assert.deepEqual(await stage.weir(args, { env }), good);
      const after = await Promise.all(names.map((name) => readFile(join(texts, name), "utf8")));
      assert.deepEqual(after, before);
    }
    await chmod(join(cache, "weir"), 0o777);
    await rm(texts, { recursive: true });
    assert.deepEqual(await stage.weir(args, { env }), good);
    await assert.rejects(readdir(texts));
  },
);
