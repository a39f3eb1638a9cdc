/** Traces of the npm package, whose `@opentelemetry/api` is an optional peer. */
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Collector } from "../support/collector.ts";
import { Member } from "../support/instances.ts";
import { haveNpmPackage } from "../support/npm-project.ts";
import { withMachine, withoutNpm } from "../support/package-user.ts";
import { root, type Weir } from "../support/process.ts";
import { needTool } from "../support/toolchain.ts";

const CONFIG = `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  flow "echo" {
    from {
      connector = "ws"
      operation = "echo"
    }
    response { n = "input.n" }
  }
`;

/** A client is answered, with a trace of its own. Then the service ends. */
async function useAndEnd(weir: Weir, traceparent: string): Promise<string> {
  const member = await Member.connect({ weir, host: "127.0.0.1" }, new URLSearchParams());
  const answer = await member.say({ type: "echo", data: { n: 1 }, traceparent });
  assert.deepEqual(answer.data, { n: 1 });
  member.leave();
  weir.signal("SIGTERM");
  const { code, stderr } = await weir.ended();
  assert.equal(code, 0, stderr);
  return withoutNpm(stderr);
}

const id = "5".repeat(32);
const traceparent = `00-${id}-b7ad6b7169203331-01`;

test("an SDK without @opentelemetry/api beside Weir is a warning, and everything works", async () => {
  await withMachine(() => needTool("node"), async (machine, folder) => {
    await haveNpmPackage(machine, folder);
    // npm puts it there for `prom-client`; other package managers keep it out of Weir's reach.
    await rm(join(folder, "node_modules/@opentelemetry"), { recursive: true });
    await writeFile(join(folder, "echo.hcl"), CONFIG);
    const registers = 'globalThis[Symbol.for("opentelemetry.js.api.1")] = { trace: {} };\n';
    await writeFile(join(folder, "sdk.mjs"), registers);
    const env = { NODE_OPTIONS: "--import=./sdk.mjs" };
    const line = "exec node_modules/.bin/weir run echo.hcl";
    const warned = await useAndEnd(await machine.serve(line, folder, env), traceparent);
    assert.match(warned, /^[^\n]*@opentelemetry\/api cannot be imported; install it beside Weir:/);
    // Without an SDK nothing is missing.
    assert.equal(await useAndEnd(await machine.serve(line, folder), traceparent), "");
  });
});

test("the module of the documentation traces, with the newest SDK", async () => {
  const page = await readFile(join(root, "docs/tracing.md"), "utf8");
  const [, module] = /```js\n(\/\/ tracing\.mjs\n[^]*?)```/.exec(page) ?? [];
  const [, packages] = /npm install (.*)/.exec(page) ?? [];
  assert.ok(module !== undefined && packages !== undefined);
  const collector = await Collector.open();
  try {
    await withMachine(() => needTool("node"), async (machine, folder) => {
      await machine.run(`npm install --no-audit @weir/runtime ${packages}`, folder);
      await writeFile(join(folder, "echo.hcl"), CONFIG);
      await writeFile(join(folder, "tracing.mjs"), module);
      const env = { ...collector.env("node"), NODE_OPTIONS: "--import=./tracing.mjs" };
      const line = "exec node_modules/.bin/weir run echo.hcl";
      const weir = await machine.serve(line, folder, env);
      const stderr = await useAndEnd(weir, traceparent);
      assert.equal(stderr, "");
      assert.deepEqual(await collector.tree(id, 1), ["echo ws"]);
    });
  } finally {
    collector.close();
  }
});
