/** The parts of `weir init`, and why it refuses a folder. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import fc from "fast-check";
import { UsageError } from "../../src/commands/arguments.ts";
import { init } from "../../src/commands/init/mod.ts";
import { nextSteps, type Origin, originOf } from "../../src/commands/init/next-steps.ts";
import { packageName, projectFiles } from "../../src/commands/init/project.ts";
import { anyText } from "../support/text.ts";

test("a package has the name of its folder, as npm accepts it", () => {
  const cases: ReadonlyArray<readonly [folder: string, name: string]> = [
    ["my-app", "my-app"],
    ["../some/where/My App", "my-app"],
    ["my-app/", "my-app"],
    ["a/..", packageName(".")],
    ["chat.v2", "chat.v2"],
    ["Ada's Büro", "ada-s-buro"],
    ["Œuvre_№ 7", "uvre_no-7"],
    [".hidden", "hidden"],
    ["_private_", "private"],
    ["--", "weir-app"],
    ["聊天", "weir-app"],
    ["🙂 chat 🙂", "chat"],
    ["node_modules", "weir-app"],
    ["favicon.ico", "weir-app"],
    ["/", "weir-app"],
    ["a\nb\t", "a-b"],
    ["x".repeat(250), "x".repeat(214)],
    [`${"x".repeat(213)}-y`, "x".repeat(213)],
  ];
  for (const [folder, name] of cases) assert.equal(packageName(folder), name, folder);
});

test("every folder has a name that npm accepts", () => {
  fc.assert(fc.property(anyText(), (folder) => {
    const name = packageName(folder);
    // The rules of npm for new packages.
    assert.match(name, /^[a-z0-9][a-z0-9._~-]*$/);
    assert.ok(name.length <= 214);
    assert.equal(encodeURIComponent(name), name);
  }));
});

test("the tasks of Deno and the scripts of npm and Bun call the same commands", () => {
  const files = projectFiles("my-app", "1.2.3-rc.4");
  const deno = JSON.parse(files["deno.json"]);
  const npm = JSON.parse(files["package.json"]);
  assert.deepEqual(npm.scripts, {
    start: "weir run --dotenv",
    dev: "weir run --dotenv --watch",
    check: "weir check --dotenv",
    test: "weir test --dotenv",
  });
  const program = "deno run -A @weir/runtime/cli ";
  for (const [name, task] of Object.entries<string>(deno.tasks)) {
    assert.equal(task.replace(program, "weir "), npm.scripts[name]);
  }
  assert.deepEqual(Object.keys(deno.tasks), Object.keys(npm.scripts));
  assert.deepEqual(deno.imports, {
    "@weir/runtime": "jsr:@weir/runtime@^1.2.3-rc.4",
    "/weir.js": "jsr:@weir/runtime@^1.2.3-rc.4/client",
  });
  assert.deepEqual(npm.dependencies, { "@weir/runtime": "^1.2.3-rc.4" });
  assert.match(files[".gitignore"], /^\.env$/m);
});

test("the next steps fit the way in which init was started", () => {
  const node = { node: "24.0.0" };
  const deno = { node: "24.0.0", deno: "2.9.6" };
  const bun = { node: "24.0.0", bun: "1.4.5" };
  const installed = "file:///app/node_modules/@weir/runtime/src/cli.js";
  const jsr = "https://jsr.example/@weir/runtime/0.1.0/src/cli-deno.ts";
  const checkout = "file:///src/weir/src/cli.ts";
  const npm = "npm/11.19.1 node/v24.21.0 linux x64 workspaces/false";
  const cases: ReadonlyArray<readonly [Parameters<typeof originOf>[0], Origin]> = [
    [{ command: checkout, versions: node, userAgent: undefined }, "checkout"],
    [{ command: checkout, versions: deno, userAgent: "deno/2.9.6" }, "checkout"],
    [{ command: checkout, versions: bun, userAgent: npm }, "checkout"],
    [{ command: undefined, versions: bun, userAgent: npm }, "executable"],
    [{ command: jsr, versions: deno, userAgent: undefined }, "deno"],
    [{ command: installed, versions: deno, userAgent: npm }, "deno"],
    [{ command: installed, versions: node, userAgent: undefined }, "npm"],
    [{ command: installed, versions: node, userAgent: npm }, "npm"],
    [{ command: installed, versions: node, userAgent: "pnpm/10.2.0 npm/? node/v24" }, "pnpm"],
    [{ command: installed, versions: node, userAgent: "yarn/4.9.0 npm/? node/v24" }, "yarn"],
    [{ command: installed, versions: node, userAgent: "bun/1.4.5 npm/? node/v26" }, "bun"],
    [{ command: installed, versions: node, userAgent: "nonsense" }, "npm"],
    [{ command: installed, versions: bun, userAgent: undefined }, "bun"],
    [{ command: installed, versions: bun, userAgent: npm }, "bun"],
  ];
  for (const [start, origin] of cases) assert.equal(originOf(start), origin, JSON.stringify(start));

  const steps: Readonly<Partial<Record<Origin, readonly string[]>>> = {
    npm: ["npm install", "npm start"],
    pnpm: ["pnpm install", "pnpm start"],
    yarn: ["yarn install", "yarn start"],
    bun: ["bun install", "bun run start"],
    deno: ["deno task start"],
  };
  for (const [origin, lines] of Object.entries(steps)) {
    const found = (folder: string) => nextSteps(origin as Origin, folder);
    assert.deepEqual(found("my-app"), ["cd my-app", ...lines]);
    assert.deepEqual(found("Ada's app"), ["cd 'Ada'\\''s app'", ...lines]);
    assert.deepEqual(found("-x"), ["cd ./-x", ...lines]);
    assert.deepEqual(found("."), lines);
    assert.deepEqual(found(process.cwd()), lines);
  }
});

test("an executable is called as a shell in the project finds it", async () => {
  const program = process.execPath;
  const steps = (folder: string) => nextSteps("executable", folder);
  const [enter, command] = steps("my-app");
  assert.equal(enter, "cd my-app");
  const word = command.replace(/ run --dotenv$/, "").replaceAll("'", "");
  assert.equal(resolve("my-app", word), program);
  // A shell looks for a word without a slash on PATH.
  assert.equal(steps(dirname(program)).at(-1), `./${basename(program)} run --dotenv`);

  const folder = await mkdtemp(join(tmpdir(), "weir-path-"));
  const before = process.env.PATH;
  try {
    process.env.PATH = ["relative", join(folder, "none"), folder].join(delimiter);
    await symlink("/", join(folder, "weir"));
    assert.notEqual(steps("my-app")[1], "weir run --dotenv");
    await rm(join(folder, "weir"));
    await symlink(program, join(folder, "weir"));
    assert.deepEqual(steps("my-app"), ["cd my-app", "weir run --dotenv"]);
  } finally {
    process.env.PATH = before;
    await rm(folder, { recursive: true });
  }
});

test("a folder that cannot be made is an error with the reason, and no file is left", async () => {
  const root = await mkdtemp(join(tmpdir(), "weir-init-"));
  try {
    await writeFile(join(root, "file"), "");
    await mkdir(join(root, "half"));
    await writeFile(join(root, "half/public"), "");
    await symlink("nowhere", join(root, "dangling"));
    await symlink("circle", join(root, "circle"));
    const long = "x".repeat(300);
    const occupied = "a file is in the place of a folder";
    const unwritable = "permission denied|the file system cannot be written";
    for (
      const [name, path, reason] of [
        ["file", "file/.env.example", occupied],
        ["file/inside", "file/inside/.env.example", occupied],
        ["half", "half/public/chat.css", occupied],
        [long, `${long}/.env.example`, "the name is too long"],
        ["dangling", "dangling", "something else is there"],
        ["circle", "circle/.env.example", "its symbolic links lead in a circle"],
        // Not even the administrator can create a folder in these two. In the first, Node's own
        // `recursive` would try forever.
        ["/proc/self/weir", "/proc/self/weir", `nothing can be created there|${unwritable}`],
        ["/sys/weir", "/sys/weir", unwritable],
      ]
    ) {
      const making = init({ name: "init", folder: resolve(root, name), template: "chat" });
      await assert.rejects(making, (error) => {
        assert.ok(error instanceof UsageError, String(error));
        const start = `cannot create ${resolve(root, path)}: `;
        assert.ok(error.message.startsWith(start), error.message);
        assert.match(error.message.slice(start.length), new RegExp(`^(?:${reason})$`));
        return true;
      });
    }
    assert.deepEqual(await readdir(join(root, "half")), ["public"]);
  } finally {
    await rm(root, { recursive: true });
  }
});
