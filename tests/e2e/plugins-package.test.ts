/** Plugins of someone who has Weir from a registry: files beside the configuration, and packages. */
import assert from "node:assert/strict";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openStage, root } from "../support/process.ts";
import { Machine } from "../support/project.ts";
import { startRegistry } from "../support/registry.ts";

/** Someone who has one runtime. */
interface User {
  readonly name: string;
  /** What makes the project; empty where nothing is installed. */
  readonly install: string;
  /** How the command is called. */
  readonly weir: string;
}

const USERS: readonly User[] = [
  { name: "Node", install: "npm init -y && npm install @weir/runtime", weir: "npx weir" },
  { name: "Node, with nothing installed", install: "", weir: "npx @weir/runtime" },
  { name: "Bun", install: "bun add @weir/runtime", weir: "bunx --bun weir" },
  {
    name: "Deno and npm",
    install: "npm init -y && npm install @weir/runtime",
    weir: "deno run -A npm:@weir/runtime",
  },
  {
    name: "Deno and JSR, with nothing installed",
    install: "",
    weir: "deno run -A jsr:@weir/runtime/cli",
  },
];

/** A package with a plugin that imports another package and Weir. */
const PACKAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "weir-plugin-words": {
    "package.json":
      '{ "name": "weir-plugin-words", "version": "1.2.0", "type": "module", "exports": "./main.js" }',
    "main.js": `
      import { defineConnector } from "@weir/runtime";
      import { word } from "weir-word";
      const words = defineConnector({
        fields: {},
        destination: { fields: {} },
        create: () => ({ write: () => ({ word }) }),
        test: (options) => options,
      });
      export default { words };
    `,
  },
  "weir-word": {
    "package.json":
      '{ "name": "weir-word", "version": "1.0.0", "type": "module", "exports": "./main.js" }',
    "main.js": 'export const word = "hello";\n',
  },
};

/** Uses the package beside the file of the fixture. */
function withWords(specifier: string): string {
  return `service {
  plugins = ["./counter.ts", "${specifier}"]
}
connector "total" {
  type = "counter"
}
connector "words" {
  type = "words"
}
connector "api" {
  type = "rest"
  port = 0
}
flow "word" {
  from {
    connector = "api"
    operation = "POST /word"
  }
  to {
    connector = "total"
  }
  to {
    connector = "words"
  }
  response {
    count = "outputs[0].count"
    word  = "outputs[1].word"
  }
}
test "both plugins are asked" {
  given "api" {
    operation = "POST /word"
  }
  expect "api" {
    data = { count = 1, word = "hello" }
  }
}
`;
}

for (const { name, install, weir } of USERS) {
  test(`plugins from a file and from packages: ${name}`, async () => {
    const registry = await startRegistry();
    const stage = await openStage("deno");
    try {
      const machine = await Machine.create(stage, registry.url);
      const folder = join(stage.folder, "project");
      await cp(join(root, "tests/fixtures/plugins"), folder, { recursive: true });
      if (install !== "") await machine.run(install, folder);
      const tested = await machine.run(`${weir} test counter.hcl`, folder);
      assert.match(tested.stdout, /^1 test, all passed$/m);

      const running = await machine.serve(`exec ${weir} run counter.hcl --workers 2`, folder);
      running.signal("SIGINT");
      assert.match((await running.ended()).stdout, /^weir is shutting down$/m);

      if (install === "") return;
      for (const [packageName, files] of Object.entries(PACKAGES)) {
        const home = join(folder, "node_modules", packageName);
        await mkdir(home, { recursive: true });
        for (const [file, text] of Object.entries(files)) await writeFile(join(home, file), text);
      }
      for (const specifier of ["weir-plugin-words", "npm:weir-plugin-words@1"]) {
        await writeFile(join(folder, "words.hcl"), withWords(specifier));
        const exit = await machine.run(`${weir} test words.hcl`, folder);
        assert.match(exit.stdout, /^1 test, all passed$/m, specifier);
      }
    } finally {
      await stage.end();
      registry.close();
    }
  });
}
