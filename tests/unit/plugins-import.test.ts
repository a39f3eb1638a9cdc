/** How the module of a plugin is found and imported, on the runtime that runs the tests. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { ConnectorError, defineConnector, PluginError } from "../../mod.ts";
import { importPlugin } from "../../src/plugins/mod.ts";
import { hostOptions } from "../../src/server/files.ts";
import { ManualClock, settle } from "../support/clock.ts";

const folder = await realpath(await mkdtemp(join(tmpdir(), "weir-plugins-")));
after(() => rm(folder, { recursive: true }));
const isDeno = "deno" in process.versions;
const isBun = "bun" in process.versions;

/** Writes files below the folder. */
async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** The default export of a plugin that a configuration in `at` names. */
async function imported(specifier: string, at = folder): Promise<unknown> {
  return (await importPlugin(specifier, at) as { readonly default: unknown }).default;
}

/** Why a plugin cannot be imported. */
async function refused(specifier: string, at = folder): Promise<PluginError> {
  try {
    await importPlugin(specifier, at);
  } catch (error) {
    assert.ok(error instanceof PluginError, String(error));
    assert.equal(error.message.split("\n").length, 1, "it is one line");
    return error;
  }
  assert.fail(`${specifier} is imported`);
}

/** A package with an `import` condition alone, which `require` does not find. */
function packageOf(name: string, version: string, exports: unknown): Record<string, string> {
  return {
    [`${name}/package.json`]: JSON.stringify({ name, version, type: "module", exports }),
    [`${name}/main.js`]: `export default "${name} ${version}";`,
    [`${name}/sub.js`]: `export default "${name}/sub";`,
  };
}

function installed(at: string, files: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(files);
  return Object.fromEntries(
    entries.map(([name, text]) => [join(at, "node_modules", name), text]),
  );
}

// The first test: Bun offers the package to all plugins once one of them lacks it.
test("a plugin that has its own @weir/runtime keeps it", async () => {
  const own = { name: "@weir/runtime", version: "9.9.9", type: "module", exports: "./main.js" };
  await write({
    ...installed("owner", {
      "@weir/runtime/package.json": JSON.stringify(own),
      "@weir/runtime/main.js": "export const defineConnector = 'own';",
    }),
    "owner/plugin.ts": 'import { defineConnector } from "@weir/runtime";\n' +
      "export default defineConnector;\n",
  });
  // Deno has the one of its own configuration.
  assert.equal(await imported("./owner/plugin.ts"), isDeno ? defineConnector : "own");
});

test("files: relative to the folder of the configuration, absolute, as a URL, of any name", async () => {
  await write({
    "conf/a.ts": "export default 'a' as string;",
    "b.js": "export default 'b';",
    "conf/c d#e%41é.mjs": "export default 'c';",
  });
  const conf = join(folder, "conf");
  assert.equal(await imported("./a.ts", conf), "a");
  assert.equal(await imported("../b.js", conf), "b");
  assert.equal(await imported(join(conf, "a.ts"), "/"), "a");
  assert.equal(await imported(pathToFileURL(join(conf, "a.ts")).href, "/"), "a");
  assert.equal(await imported("./c d#e%41é.mjs", conf), "c");
  // The entrypoints import in the same way.
  assert.equal(
    (await hostOptions.importPlugin("./a.ts", conf) as { default: string }).default,
    "a",
  );
});

test("a folder that is relative to the working directory", async () => {
  await write({ "near/a.js": "export default 'near';" });
  const before = process.cwd();
  process.chdir(folder);
  try {
    assert.equal(await imported("./near/a.js", "."), "near");
    assert.equal(await imported("./a.js", "near"), "near");
  } finally {
    process.chdir(before);
  }
});

const exports = { ".": { import: "./main.js" }, "./sub": { import: "./sub.js" } };

test("packages: from the folder of the configuration upwards", async () => {
  await write({
    ...installed("project", packageOf("weir-plugin-x", "1.2.3", exports)),
    ...installed("project", packageOf("@me/redis", "2.0.0-beta.1", exports)),
    ...installed("project/inner", packageOf("@me/redis", "3.0.0", exports)),
    "project/inner/deep/app.hcl": "",
  });
  const [outer, inner] = [join(folder, "project"), join(folder, "project/inner/deep")];
  assert.equal(await imported("weir-plugin-x", outer), "weir-plugin-x 1.2.3");
  assert.equal(await imported("weir-plugin-x", inner), "weir-plugin-x 1.2.3");
  assert.equal(await imported("weir-plugin-x/sub", inner), "weir-plugin-x/sub");
  assert.equal(await imported("@me/redis", outer), "@me/redis 2.0.0-beta.1");
  assert.equal(await imported("@me/redis", inner), "@me/redis 3.0.0");

  const { code, message } = await refused("weir-plugin-x/other", inner);
  assert.equal(code, "plugin-not-found");
  assert.equal(message, "is not exported by the package weir-plugin-x");
  await rm(join(outer, "node_modules/weir-plugin-x/main.js"));
  assert.match(
    (await refused("weir-plugin-x", join(folder, "project/again"))).message,
    /^cannot be/,
  );
});

test("npm: and jsr: name the same packages; a version is compared with the installed one", async () => {
  if (isDeno) return await assertDenoImportsItself();
  await write(installed("versions", packageOf("@me/redis", "2.0.1", exports)));
  const at = join(folder, "versions");
  for (
    const specifier of [
      "npm:@me/redis",
      "npm:@me/redis@2",
      "npm:@me/redis@^2.0.0",
      "npm:@me/redis@2.0.1",
      "npm:@me/redis@latest",
      "jsr:@me/redis",
      "jsr:@me/redis@2",
    ]
  ) assert.equal(await imported(specifier, at), "@me/redis 2.0.1");
  assert.equal(await imported("npm:@me/redis@2/sub", at), "@me/redis/sub");
  const npm = await refused("npm:@me/redis@3", at);
  assert.deepEqual([npm.code, npm.message], [
    "plugin-not-found",
    "is installed in the version 2.0.1",
  ]);
  const install = isBun ? "bun add" : "npm install";
  assert.equal(npm.hint, `run ${install} @me/redis@3 in ${at}`);
  const jsr = await refused("jsr:@me/redis@^3", at);
  assert.equal(jsr.hint, `run ${isBun ? "bunx" : "npx"} jsr add @me/redis@^3 in ${at}`);
});

/** Deno has both kinds of packages without a node_modules. */
async function assertDenoImportsItself(): Promise<void> {
  const { imports } = JSON.parse(
    await readFile(new URL("../../deno.json", import.meta.url), "utf8"),
  );
  const { satisfies } = await imported(imports.semver) as typeof import("semver");
  assert.equal(satisfies("1.2.3", "^1"), true);
}

test("a package that is not installed: what to run", async () => {
  await write({ "redis.ts": "export default {};" });
  const { code, message, hint } = await refused("weir-plugin-absent");
  assert.equal(code, "plugin-not-found");
  assert.equal(
    message,
    `is not installed: ${folder} and the folders above it have no node_modules/weir-plugin-absent`,
  );
  const install = isDeno ? "deno add npm:" : isBun ? "bun add " : "npm install ";
  assert.equal(hint, `run ${install}weir-plugin-absent there`);
  assert.equal((await refused("redis.ts")).hint, 'write "./redis.ts" for the file of this name');
  if (isDeno) return;
  assert.equal((await refused("npm:@me/absent@2")).hint, `run ${install}@me/absent@2 there`);
  assert.match(
    (await refused("jsr:@me/absent")).hint ?? "",
    /^run (?:bunx|npx) jsr add @me\/absent/,
  );
});

test("a file that does not exist, or is none", async () => {
  const absent = await refused("./absent.ts");
  assert.deepEqual([absent.code, absent.message, absent.hint], [
    "plugin-not-found",
    "does not exist",
    `there is no file ${join(folder, "absent.ts")}`,
  ]);
  await write({ "sub/index.js": "export default 1;", "file.js": "export default 1;" });
  for (const specifier of ["./sub", "./sub/", ".", ".."]) {
    const { code, message } = await refused(specifier);
    assert.deepEqual([code, message], ["plugin-not-found", "is not a file"], specifier);
  }
  assert.equal((await refused("./file.js/a.js")).code, "plugin-not-found");
});

test("what is neither a file nor a package", async () => {
  for (
    const specifier of [
      "https://example.com/redis.ts",
      "http://example.com/redis.ts",
      "node:fs",
      "data:text/javascript,export default {}",
      "file://example.com/redis.ts",
      "ftp:redis",
      "fs",
      "#redis",
      "a b",
      " ",
      "@me",
      "redis@2",
      "@me/redis@2",
      ...(isDeno ? [] : ["npm:", "npm:./redis.ts", "jsr:redis", "npm:a@1@2"]),
    ]
  ) {
    const { code, hint } = await refused(specifier);
    assert.equal(code, "plugin-specifier", specifier);
    assert.ok(hint, specifier);
  }
  assert.equal((await refused("redis@2")).hint, 'write it as "npm:redis@2"');
});

test("a module with a mistake: the message, the file and the line, no stack", async () => {
  await write({
    "bad/syntax.ts": "export const a = 1;\nexport default { a: [1, 2\nconst b = 2;\n",
    "bad/import.ts": 'import a from "./syntax.ts";\nexport default { a };\n',
    "bad/throws.ts": "export default {};\n\nthrow new RangeError('no redis\\nhere');\n",
    "bad/text.ts": "throw 'text';\n",
    "bad/name.ts": 'import { nope } from "./good.ts";\nexport default { nope };\n',
    "bad/good.ts": "export const good = 1;\n",
    "bad/absent.ts": 'export const a = 1;\nimport b from "./nowhere.ts";\nexport default { b };\n',
  });
  const why = async (name: string) => {
    const { code, message } = await refused(name, join(folder, "bad"));
    assert.equal(code, "plugin-failed");
    return message.replaceAll(folder, "");
  };
  assert.match(
    await why("./syntax.ts"),
    /^cannot be imported: .*'?,|\].* \(\/bad\/syntax\.ts:3(?::1)?\)$/,
  );
  assert.match(await why("./syntax.ts"), /\(\/bad\/syntax\.ts:3(?::1)?\)$/);
  assert.match(await why("./import.ts"), /\(\/bad\/syntax\.ts:3(?::1)?\)$/);
  assert.match(
    await why("./throws.ts"),
    /^cannot be imported: RangeError: no redis \(\/bad\/throws\.ts:3:\d+\)$/,
  );
  assert.equal(await why("./text.ts"), 'cannot be imported: it throws "text"');
  assert.match(await why("./name.ts"), /^cannot be imported: SyntaxError: .*nope/);
  assert.match(
    await why("./absent.ts"),
    /^cannot be imported: .*\/bad\/nowhere\.ts|\.\/nowhere\.ts/,
  );
});

test("a module can throw anything", async () => {
  const thrown = {
    "throw new Error();": /^it throws Error without a message \(.*\/file\.ts:1:\d+\)$/,
    "throw undefined;": /^it throws undefined$/,
    "throw Object.create(null);": /^it throws an object that has no text$/,
    "throw { toString() { throw 1; } };": /^it throws an object that has no text$/,
    "const error = new Error('m'); error.message = 5 as never; throw error;":
      /^it throws Error: 5$/,
    "throw new Error('see file://host/a%zz:3');": /^see file:\/\/host\/a%zz:3/,
  };
  for (const [index, [code, expected]] of Object.entries(thrown).entries()) {
    // A stack has these words, too.
    const name = `look at it (${index})/file.ts`;
    await write({ [name]: `${code}\nexport default {};\n` });
    const { message } = await refused(`./${name}`);
    const [, why] = /^cannot be imported: ([^]*)$/.exec(message) ?? [];
    assert.match(why ?? message, expected, `${code} ${message}`);
    if (/file\.ts:/.test(message)) assert.ok(message.includes(`${name}:1`), message);
  }
});

test("a module that never ends is not waited for without end", async () => {
  await write({ "waits.ts": "await globalThis.pluginGate;\nexport default {};\n" });
  const gate = Promise.withResolvers<void>();
  Object.assign(globalThis, { pluginGate: gate.promise });
  const clock = new ManualClock();
  const importing = importPlugin("./waits.ts", folder, clock);
  while (clock.waiting === 0) await settle();
  const rejected = assert.rejects(importing, (error) => {
    assert.ok(error instanceof PluginError);
    assert.deepEqual([error.code, error.message], [
      "plugin-failed",
      "has not been imported after 60 seconds",
    ]);
    return true;
  });
  await clock.advance(60_000);
  await rejected;
  // Deno takes a module that nothing can end for an error of the test.
  gate.resolve();
  await settle();
});

test("a package that a plugin imports and that is not installed", async () => {
  // Bun installs packages by itself where no folder has a node_modules.
  await mkdir(join(folder, "lacks/node_modules"), { recursive: true });
  await write({ "lacks/plugin.ts": 'import x from "weir-absent/sub";\nexport default { x };\n' });
  const { code, message, hint } = await refused("./lacks/plugin.ts");
  assert.equal(code, "plugin-failed");
  assert.match(message, /^cannot be imported: .*['"]weir-absent/);
  assert.equal(
    hint,
    isDeno
      ? 'write "npm:weir-absent" in the import, or run deno add npm:weir-absent in the working directory'
      : `run ${isBun ? "bun add" : "npm install"} weir-absent in the plugin's project`,
  );
});

test("a plugin that has no @weir/runtime of its own gets the one that runs", async () => {
  await write({
    "alone/plugin.ts": 'import { ConnectorError, defineConnector } from "@weir/runtime";\n' +
      "export default { ConnectorError, defineConnector };\n",
  });
  const found = await imported("./alone/plugin.ts") as Record<string, unknown>;
  assert.equal(found.defineConnector, defineConnector);
  assert.equal(found.ConnectorError, ConnectorError);
});

test("plugins are modules, whatever the package.json of their project says", async () => {
  await write({
    "common/package.json": '{ "type": "commonjs" }',
    "common/a.ts":
      'import { b } from "./b.js";\nimport c from "./c.cjs";\nexport default { b, c };\n',
    "common/b.js": 'export * from "./deep/d.ts";\n',
    "common/deep/d.ts": "/** One. */\nexport const b = 1 as number;\n",
    "common/c.cjs": "module.exports = 'c';\n",
    "common/e.js": "module.exports = { e: 1 };\n",
  });
  assert.deepEqual(await imported("./common/a.ts"), { b: 1, c: "c" });
  // Deno takes no other file than *.cjs for CommonJS.
  if (!isDeno) assert.deepEqual(await imported("./common/e.js"), { e: 1 });
});

test("a linked package is imported from where it is", async () => {
  await write(packageOf("linked", "1.0.0", exports));
  await mkdir(join(folder, "linking/node_modules"), { recursive: true });
  await symlink(join(folder, "linked"), join(folder, "linking/node_modules/linked"));
  assert.equal(await imported("linked", join(folder, "linking")), "linked 1.0.0");
});
