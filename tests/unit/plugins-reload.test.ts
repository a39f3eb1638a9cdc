/** Plugins are imported anew when one of their files has changed. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PluginError } from "../../src/base/errors.ts";
import { PluginReloader } from "../../src/plugins/mod.ts";

/** A folder with files that change, and the reloader of a configuration in it. */
class Stage {
  readonly folder: string;
  readonly reloader = new PluginReloader();

  constructor(folder: string) {
    this.folder = folder;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.folder, name), text);
    }
  }

  /** Reads the configuration again; the default exports of its plugins, or why there is none. */
  async read(...specifiers: readonly string[]): Promise<unknown[]> {
    this.reloader.begin();
    const found: unknown[] = [];
    for (const specifier of specifiers) {
      try {
        const module = await this.reloader.importPlugin(specifier, this.folder);
        found.push((module as { readonly default: unknown }).default);
      } catch (error) {
        assert.ok(error instanceof PluginError, String(error));
        found.push(error.code);
      }
    }
    return found;
  }

  /** The watched files, relative to the folder. */
  get files(): string[] {
    return [...this.reloader.files.keys()].map((path) => path.slice(this.folder.length + 1)).sort();
  }
}

function reloadTest(name: string, run: (stage: Stage) => Promise<void>): void {
  test(name, async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "weir-reload-")));
    try {
      await run(new Stage(folder));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

reloadTest(
  "a change of a plugin or of a file that it imports counts, however deep",
  async (stage) => {
    await stage.write({
      "a.ts": 'import { b } from "./b.ts";\nexport default { at: 1, b };\n',
      "b.ts": 'import data from "./c.json" with { type: "json" };\n' +
        'import { d } from "./d.js";\nexport const b = { c: data.c, d };\n',
      "c.json": '{ "c": 1 }',
      "d.js": "export const d = 1;\n",
    });
    const value = (at: number, c: number, d: number) => ({ at, b: { c, d } });
    assert.deepEqual(await stage.read("./a.ts"), [value(1, 1, 1)]);
    assert.deepEqual(stage.files, ["a.ts", "b.ts", "c.json", "d.js"]);
    await stage.write({ "d.js": "export const d = 2;\n" });
    assert.deepEqual(await stage.read("./a.ts"), [value(1, 1, 2)]);
    await stage.write({ "c.json": '{ "c": 2 }' });
    assert.deepEqual(await stage.read("./a.ts"), [value(1, 2, 2)]);
    await stage.write({ "a.ts": 'import { b } from "./b.ts";\nexport default { at: 2, b };\n' });
    assert.deepEqual(await stage.read("./a.ts"), [value(2, 2, 2)]);
    assert.deepEqual(stage.files, ["a.ts", "b.ts", "c.json", "d.js"]);
  },
);

reloadTest("a file of CommonJS counts, as a plugin and where one imports it", async (stage) => {
  await stage.write({
    "a.mjs": 'import b from "./b c.cjs";\nexport default b;\n',
    "b c.cjs": 'module.exports = { b: 1, d: require("./d.cjs") };\n',
    "d.cjs": "module.exports = 1;\n",
    "e.cjs": 'module.exports = { d: require("./d.cjs") };\n',
  });
  const plugins = ["./a.mjs", "./e.cjs"];
  assert.deepEqual(await stage.read(...plugins), [{ b: 1, d: 1 }, { d: 1 }]);
  await stage.write({ "b c.cjs": 'module.exports = { b: 2, d: require("./d.cjs") };\n' });
  assert.deepEqual(await stage.read(...plugins), [{ b: 2, d: 1 }, { d: 1 }]);
  await stage.write({ "e.cjs": 'module.exports = { d: require("./d.cjs"), e: 1 };\n' });
  assert.deepEqual(await stage.read(...plugins), [{ b: 2, d: 1 }, { d: 1, e: 1 }]);
});

reloadTest("what has not changed is not imported again", async (stage) => {
  await stage.write({ "a.ts": "export default { at: 1 };\n" });
  const [first] = await stage.read("./a.ts");
  const [second] = await stage.read("./a.ts");
  assert.equal(first, second);
  await stage.write({ "a.ts": "export default { at: 1 };\n\n" });
  const [third] = await stage.read("./a.ts");
  assert.deepEqual(third, first);
  assert.notEqual(third, first);
});

reloadTest("plugins that share a file get the same one, after a change, too", async (stage) => {
  await stage.write({
    "a.ts": 'import { shared } from "./shared.ts";\nexport default shared;\n',
    "b.ts": 'import { shared } from "./shared.ts";\nexport default shared;\n',
    "shared.ts": 'import { deep } from "./deep.ts";\nexport const shared = { deep };\n',
    "deep.ts": "export const deep = 1;\n",
  });
  const [a, b] = await stage.read("./a.ts", "./b.ts");
  assert.equal(a, b);
  await stage.write({ "deep.ts": "export const deep = 2;\n" });
  const [c, d] = await stage.read("./a.ts", "./b.ts");
  assert.deepEqual(c, { deep: 2 });
  assert.equal(c, d);
  // A plugin that the configuration does not name any more is not watched.
  await stage.read("./b.ts");
  assert.deepEqual(stage.files, ["b.ts", "deep.ts", "shared.ts"]);
  await stage.read();
  assert.deepEqual(stage.files, []);
});

reloadTest(
  "a repair is found: of a file, of what it imports, of what was missing",
  async (stage) => {
    assert.deepEqual(await stage.read("./a.ts"), ["plugin-not-found"]);
    assert.deepEqual(stage.files, ["a.ts"]);
    await stage.write({ "a.ts": "export default {" });
    assert.deepEqual(await stage.read("./a.ts"), ["plugin-failed"]);
    await stage.write({ "a.ts": "throw new Error('no');\n" });
    assert.deepEqual(await stage.read("./a.ts"), ["plugin-failed"]);
    await stage.write({ "a.ts": "export default { at: 1 };\n" });
    assert.deepEqual(await stage.read("./a.ts"), [{ at: 1 }]);

    await stage.write({ "a.ts": 'import { b } from "./b.ts";\nexport default { b };\n' });
    assert.deepEqual(await stage.read("./a.ts"), ["plugin-failed"]);
    assert.ok(stage.files.includes("b.ts"), "the missing file is watched");
    await stage.write({ "b.ts": 'import { c } from "./c.ts";\nexport const b = c;\n' });
    assert.deepEqual(await stage.read("./a.ts"), ["plugin-failed"]);
    await stage.write({ "c.ts": "export const c = ;" });
    assert.deepEqual(await stage.read("./a.ts"), ["plugin-failed"]);
    assert.ok(stage.files.includes("c.ts"), "the file with the mistake is watched");
    await stage.write({ "c.ts": "export const c = 1;\nthrow new Error('no');\n" });
    assert.deepEqual(await stage.read("./a.ts"), ["plugin-failed"]);
    assert.ok(stage.files.includes("c.ts"), "the file that throws is watched");
    await stage.write({ "c.ts": "export const c = 1;\n" });
    assert.deepEqual(await stage.read("./a.ts"), [{ b: 1 }]);
    assert.deepEqual(stage.files, ["a.ts", "b.ts", "c.ts"]);
  },
);

reloadTest("a file that is missing at the first import is watched", async (stage) => {
  await stage.write({ "a.ts": 'import { b } from "./deep/b.ts";\nexport default b;\n' });
  assert.deepEqual(await stage.read("./a.ts"), ["plugin-failed"]);
  assert.deepEqual(stage.files, ["a.ts", "deep/b.ts"]);
});

reloadTest(
  "an export that is missing is found when it is there, also in two plugins",
  async (stage) => {
    await stage.write({
      "a.ts": 'import { b } from "./b.ts";\nimport "./c.ts";\nexport default { b };\n',
      "d.ts": 'import { b } from "./b.ts";\nexport default { b };\n',
      "b.ts": "export const renamed = 1;\n",
      "c.ts": "await 0;\n",
    });
    const failed = ["plugin-failed", "plugin-failed"];
    assert.deepEqual(await stage.read("./a.ts", "./d.ts"), failed);
    await stage.write({ "b.ts": "await 0;\nexport const renamed = 2;\n" });
    assert.deepEqual(await stage.read("./a.ts", "./d.ts"), failed);
    await stage.write({ "b.ts": "throw new Error('no');\n" });
    assert.deepEqual(await stage.read("./a.ts", "./d.ts"), failed);
    await stage.write({ "b.ts": "export const b = 3;\n" });
    assert.deepEqual(await stage.read("./a.ts", "./d.ts"), [{ b: 3 }, { b: 3 }]);
  },
);

reloadTest("one plugin that fails leaves the others", async (stage) => {
  await stage.write({ "a.ts": "export default { at: 1 };\n", "b.ts": "throw 1;\n" });
  assert.deepEqual(await stage.read("./b.ts", "./a.ts"), ["plugin-failed", { at: 1 }]);
  await stage.write({ "b.ts": "export default { at: 2 };\n" });
  assert.deepEqual(await stage.read("./b.ts", "./a.ts"), [{ at: 2 }, { at: 1 }]);
});

reloadTest("packages are imported once, and not watched", async (stage) => {
  const home = join(stage.folder, "node_modules/pack");
  await mkdir(home, { recursive: true });
  await writeFile(
    join(home, "package.json"),
    '{ "name": "pack", "version": "1.0.0", "type": "module", "exports": "./main.js" }',
  );
  await writeFile(join(home, "main.js"), "export default { at: 1 };\n");
  await stage.write({ "a.ts": "export default { at: 1 };\n" });
  assert.deepEqual(await stage.read("pack", "./a.ts"), [{ at: 1 }, { at: 1 }]);
  assert.deepEqual(stage.files, ["a.ts"]);
  await writeFile(join(home, "main.js"), "export default { at: 2 };\n");
  await stage.write({ "a.ts": "export default { at: 2 };\n" });
  assert.deepEqual(await stage.read("pack", "./a.ts"), [{ at: 1 }, { at: 2 }]);
});

reloadTest("a text that is neither a file nor a package is refused", async (stage) => {
  assert.deepEqual(await stage.read("https://example.com/a.ts"), ["plugin-specifier"]);
  assert.deepEqual(stage.files, []);
});
