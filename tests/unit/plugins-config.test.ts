/** The attribute `plugins`: what it takes, and what a configuration makes of the modules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError } from "../../src/base/errors.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { attribute } from "../../src/contract/fields.ts";
import { text } from "../../src/contract/value-schema.ts";
import { loadConfig, type LoadOptions } from "../../src/runtime/load.ts";
import { failuresOf, filesOf, problemsOf } from "../support/config.ts";

const sink = defineConnector({
  fields: { label: attribute(text(), { about: "For the test." }) },
  destination: { fields: {} },
  create: () => ({}),
});
const other = defineConnector({ fields: {}, create: () => ({}) });

/** Imports from these modules; an error is thrown. */
function modules(exports: Readonly<Record<string, unknown>>): LoadOptions {
  return {
    importPlugin(specifier) {
      const found = exports[specifier];
      if (found instanceof Error) throw found;
      return Promise.resolve(found);
    },
  };
}

/** A `service` block with this list, and a connector of the type `sink` below it. */
function listing(list: string, more = ""): string {
  return `service {\n  plugins = ${list}\n}\nconnector "s" {\n  type = "sink"\n}\n${more}`;
}

test("plugins define connector types; each is imported from the folder of its file", async () => {
  const asked: unknown[] = [];
  const files = filesOf({
    "a.hcl": `service {\n  plugins = ["./\${constants.file}", env("PLUGIN")]\n}\n`,
    "b.hcl": 'constants {\n  file = "a.ts"\n}\nconnector "s" {\n  type = "sink"\n}\n' +
      'connector "o" {\n  type = "other"\n}\n',
  });
  const { connectors } = await loadConfig(files, {
    env: () => "npm:b",
    importPlugin(specifier, folder) {
      asked.push([specifier, folder]);
      return { default: specifier === "./a.ts" ? { sink } : { other } };
    },
  });
  assert.deepEqual(asked, [["./a.ts", "/conf"], ["npm:b", "/conf"]]);
  assert.equal(connectors.get("s")?.definition, sink);
  assert.equal(connectors.get("o")?.definition, other);
});

test("nothing is imported for a configuration without plugins, or with none in the list", async () => {
  const importPlugin = () => assert.fail("it imports");
  await loadConfig('service {\n  name = "x"\n}\n', { importPlugin });
  await loadConfig("service {\n  plugins = []\n}\n", { importPlugin });
});

test("the types of the caller replace those of plugins", async () => {
  const { connectors } = await loadConfig(listing('["a"]'), {
    ...modules({ a: { default: { sink: other } } }),
    connectors: { sink },
  });
  assert.equal(connectors.get("s")?.definition, sink);
});

test("a value that is no list of modules is one problem, and hides no other", async () => {
  for (const list of ['"a"', "[1]", '[""]', "{}", "null"]) {
    assert.deepEqual(await problemsOf(listing(list, "flow {\n}\n"), modules({})), [
      `config.hcl:2:13+${list.length} invalid-value`,
      "config.hcl:7:1+4 missing-name",
    ], list);
  }
});

test("a list that cannot be evaluated may have defined any type", async () => {
  assert.deepEqual(await problemsOf(listing('[env("PLUGIN")]')), [
    "config.hcl:2:14+13 env-not-set",
  ]);
  assert.deepEqual(await problemsOf(listing('["a"]').replace("plugins", "plugin")), [
    "config.hcl:2:3+6 unknown-attribute",
  ]);
  assert.deepEqual(await problemsOf(listing('["a"]').replace("service", "servce")), [
    "config.hcl:1:1+6 unknown-block",
  ]);
  const files = filesOf({
    "a.hcl": 'service {\n  plugins = ["a"\n',
    "b.hcl": 'connector "s" {\n  type = "sink"\n}\n',
  });
  assert.deepEqual((await problemsOf(files)).map((problem) => problem.split(" ")[1]), [
    "syntax-error",
  ]);
});

test("other mistakes do not hide an unknown type", async () => {
  const text = 'conector "x" {\n}\nservice {\n}\nconnector "s" {\n  type = "sink"\n}\n';
  assert.deepEqual(await problemsOf(text), [
    "config.hcl:1:1+8 unknown-block",
    "config.hcl:6:10+6 unknown-connector-type",
  ]);
  assert.deepEqual(await problemsOf(listing('["a"]'), modules({ a: { default: { other } } })), [
    "config.hcl:5:10+6 unknown-connector-type",
  ]);
});

test("an importer that fails: its code, its message and its hint, at the place in the list", async () => {
  const importing = modules({
    "a": new PluginError("plugin-not-found", "is not installed", { hint: "run npm install a" }),
    "b": new TypeError("no"),
    "c": { default: { other } },
  });
  const found = await failuresOf(listing('["a", "b", "c"]', "flow {\n}\n"), importing);
  assert.deepEqual(await problemsOf(listing('["a", "b", "c"]', "flow {\n}\n"), importing), [
    "config.hcl:2:14+3 plugin-not-found",
    "config.hcl:2:19+3 plugin-failed",
    "config.hcl:7:1+4 missing-name",
  ]);
  assert.equal(found[0].message, 'the plugin "a" is not installed');
  assert.equal(found[0].hint, "run npm install a");
  assert.equal(found[1].message, 'the plugin "b" cannot be imported: no');
});

test("a program that cannot import plugins says so", async () => {
  assert.deepEqual(await problemsOf(listing('["a"]')), ["config.hcl:2:14+3 plugin-unsupported"]);
});

test("a default export that is no table of connector types", async () => {
  for (
    const exports of [
      undefined,
      {},
      { default: 1 },
      { default: null },
      { default: [sink] },
      { default: () => ({ sink }) },
      { default: {} },
      { default: sink },
      { default: { "1st": sink } },
      { default: { "a b": sink } },
      { default: { sink: null } },
      { default: { sink: { fields: {} } } },
      { default: { sink: { create: "sink", fields: {} } } },
      { default: { sink: { create: () => ({}) } } },
      { default: { sink: { create: () => ({}), fields: { label: { kind: "attribute" } } } } },
      { default: { sink: { ...sink, source: true } } },
      { default: { sink: { ...sink, destination: {} } } },
      { default: { sink: { ...sink, check: true } } },
    ]
  ) {
    assert.deepEqual(
      await problemsOf(listing('["./a.ts"]'), modules({ "./a.ts": exports })),
      ["config.hcl:2:14+8 plugin-export"],
      String(exports),
    );
  }
});

test("a name that is taken: by a built-in type, by another plugin; a plugin that is listed twice", async () => {
  const importing = modules({
    a: { default: { sink } },
    b: { default: { sink: other, mq: sink } },
  });
  assert.deepEqual(await problemsOf(listing('["a", "b", "a"]'), importing), [
    "config.hcl:2:19+3 plugin-conflict",
    "config.hcl:2:19+3 plugin-conflict",
    "config.hcl:2:24+3 plugin-conflict",
  ]);
  const reversed = modules({ b: { default: { mq: sink, sink: other } } });
  assert.deepEqual(await problemsOf(listing('["b"]'), reversed), [
    "config.hcl:2:14+3 plugin-conflict",
  ]);
});

test("every entry of a module that is wrong is a problem, and the others are used", async () => {
  const table = { "a b": sink, none: null, sink, half: { fields: {} }, mq: sink };
  const importing = modules({ a: { default: table } });
  assert.deepEqual(
    (await failuresOf(listing('["a"]'), importing)).map(({ message }) => message),
    [
      'the plugin "a" defines the connector type "a b", which cannot be a name',
      'the plugin "a" exports "none", which is not a connector type: it must be an object',
      'the plugin "a" exports "half", which is not a connector type: create is missing',
      'the plugin "a" defines the connector type "mq", which Weir defines, too',
    ],
  );
  const wrong = listing('["a"]').replace('"sink"\n', '"sink"\n  lable = "x"\n');
  assert.deepEqual((await problemsOf(wrong, importing)).slice(4), [
    "config.hcl:6:3+5 unknown-attribute",
  ]);
});

test("a module that TypeScript has compiled to CommonJS", async () => {
  const compiled = { default: { __esModule: true, default: { sink } } };
  const { connectors } = await loadConfig(listing('["a"]'), modules({ a: compiled }));
  assert.equal(connectors.get("s")?.definition, sink);
});
