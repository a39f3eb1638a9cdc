/** Plugins of the executable: it imports TypeScript and packages, and they import it. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ExecutableStage, executableTest } from "../support/executable.ts";
import type { Weir } from "../support/process.ts";
import { openClient } from "../support/talk.ts";

/** A connector that counts, of a file that imports another file and a package. */
const PLUGIN = `
import { attribute, ConnectorError, defineConnector, integer } from "@weir/runtime";
import { word } from "weir-words";
import { Counter } from "./counter.ts";

interface Write {
  readonly payload: { readonly by?: number };
}

export default {
  counter: defineConnector({
    fields: { start: attribute(integer(), { about: "The first number.", default: 0 }) },
    destination: { fields: {} },
    // It touches nothing outside of the process.
    test: (options: object) => options,
    create({ start }: { readonly start: number }, { name }: { readonly name: string }) {
      const counter = new Counter(start);
      return {
        start() {},
        close: () => Promise.resolve(),
        write({ payload: { by = 1 } }: Write) {
          if (by < 0) throw new ConnectorError(name, "counts up only", { permanent: true });
          return { [word]: counter.add(by) };
        },
      };
    },
  }),
};
`;

const COUNTER = `
export class Counter {
  private value: number;
  constructor(start: number) {
    this.value = start;
  }
  add(by: number): number {
    return this.value += by;
  }
}
`;

const CONFIGURATION = `
service {
  plugins = ["./plugins/count.ts", "npm:weir-plugin-echo"]
}
connector "ws" {
  type = "websocket"
  port = 0
}
connector "count" {
  type  = "counter"
  start = 10
}
connector "echo" {
  type = "echo"
}
flow "count" {
  from {
    connector = "ws"
    operation = "count"
  }
  to {
    connector = "count"
  }
  to {
    connector = "echo"
  }
  response {
    count = "outputs[0].count"
    echo  = "outputs[1].echo"
  }
}
test "it counts" {
  client "ada" {}
  mock "echo" {
    returns = { echo = "by" }
  }
  given "ada" {
    operation = "count"
    id        = 1
    data      = { by = 2 }
  }
  expect "ada" {
    type = "ack"
    data = { count = 12, echo = "by" }
  }
}
`;

/** A project without \`@weir/runtime\` in its \`node_modules\`. */
const FILES: Readonly<Record<string, string>> = {
  "live.hcl": CONFIGURATION,
  "plugins/count.ts": PLUGIN,
  "plugins/counter.ts": COUNTER,
  "node_modules/weir-words/package.json":
    '{"name":"weir-words","exports":{"node":"./no.js","default":"./lib/words.mjs"}}',
  "node_modules/weir-words/no.js": 'exports.word = "count";',
  "node_modules/weir-words/lib/words.mjs": 'export const word = "count";',
  "node_modules/weir-plugin-echo/package.json":
    '{"name":"weir-plugin-echo","version":"1.0.0","type":"module","exports":"./echo.js"}',
  "node_modules/weir-plugin-echo/echo.js": `
import { defineConnector } from "@weir/runtime";
const echo = {
  start() {},
  close: async () => {},
  write: ({ payload }) => ({ echo: Object.keys(payload).join() }),
};
export default {
  echo: defineConnector({ fields: {}, destination: { fields: {} }, create: () => echo }),
};
`,
};

async function makeProject(stage: ExecutableStage): Promise<void> {
  for (const [path, text] of Object.entries(FILES)) {
    const file = join(stage.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

async function counted(weir: Weir, by: number): Promise<unknown> {
  const client = await openClient(weir);
  const answer = await client.ask({ type: "count", id: 1, data: { by } });
  client.destroy();
  return answer.data ?? answer.code;
}

executableTest("plugins work with check, test, run and workers", async (stage) => {
  await makeProject(stage);
  const checked = await stage.weir(["check", "--strict", "live.hcl"]);
  assert.deepEqual([checked.code, checked.stderr], [0, ""]);
  assert.match(checked.stdout, /^good: 3 connectors/);
  const tested = await stage.weir(["test", "live.hcl"]);
  assert.deepEqual([tested.code, tested.stderr], [0, ""], tested.stdout);
  for (const args of [[], ["--workers", "2"]]) {
    const weir = await stage.run(["live.hcl", ...args]);
    assert.deepEqual(await counted(weir, 5), { count: 15, echo: "by" });
    assert.equal(await counted(weir, -1), "flow_failed");
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0, weir.output);
    // The error is one of this program: it has its code and is permanent.
    assert.match(weir.stderr, /connector "count": counts up only/);
  }
});

executableTest("a mistake in a plugin is shown with its place", async (stage) => {
  await makeProject(stage);
  const file = join(stage.folder, "plugins/counter.ts");
  await writeFile(file, `${COUNTER}\nexport const = 1;\n`);
  const { code, stderr } = await stage.weir(["check", "live.hcl"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error\[plugin-failed\]: .+\(plugins\/counter\.ts:12:\d+\)$/m);
  await writeFile(file, COUNTER.replace("Counter", "Adder"));
  assert.match(
    (await stage.weir(["check", "live.hcl"])).stderr,
    /^error\[plugin-failed\]: .*Counter/,
  );
});

executableTest("--watch imports a plugin again that has changed", async (stage) => {
  await makeProject(stage);
  const weir = await stage.run(["--watch", "live.hcl"]);
  assert.deepEqual(await counted(weir, 1), { count: 11, echo: "by" });
  const file = join(stage.folder, "plugins/counter.ts");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("+= by", "+= 100 * by"));
  await weir.says(/^weir restarted in /m);
  assert.deepEqual(await counted(weir, 1), { count: 110, echo: "by" });
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});
