/** The types of the npm package, as TypeScript finds them in a strict project. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { needExtra } from "../support/extras.ts";
import { haveNpmPackage } from "../support/npm-project.ts";
import { openStage } from "../support/process.ts";
import { Machine } from "../support/project.ts";
import { startRegistry } from "../support/registry.ts";

const PROGRAM = `
import { createServer } from "node:http";
import { createRuntime as createCore, defineConnector, loadConfig, type Model, type Runtime } from "@weir/runtime";
import { type BunRuntime, createRuntime as createOnBun } from "@weir/runtime/bun";
import { start } from "@weir/runtime/cli";
import { type Client, connect } from "@weir/runtime/client";
import { createRuntime as createOnDeno } from "@weir/runtime/deno";
import { attach, createRuntime, readConfigFiles, serve, type Service } from "@weir/runtime/node";
import { runConfigTests, testConfig, testConnector, type TestResult } from "@weir/runtime/testing";
import { test } from "node:test";

const model: Model = await loadConfig("");
const runtime: Runtime = await createRuntime(model, { env: (name) => process.env[name] });
const count: number = await runtime.sendToRoom("orders", { id: 7 });
const detach: () => void = attach(createServer(), runtime, { mount: "/live" });
const service: Service = await serve(await readConfigFiles("live.hcl"), { workers: 2 });
const bun: BunRuntime = await createOnBun("");
const limit: number = bun.websocket.maxPayloadLength;
const others: Runtime[] = [await createCore(""), await createOnDeno("")];
const results: readonly TestResult[] = (await runConfigTests("")).results;
await testConfig(test, await readConfigFiles("live.hcl"), { filter: "order" });
testConnector({ test, module: new URL("file:///list.js"), type: "list", config: "" });
interface Shop { operations: { order: { request: { item: number }; response: { id: string } } } }
const weir: Client<Shop> = connect<Shop>("wss://example.com/ws", { token: async () => "T" });
const { id }: { id: string } = await weir.request("order", { item: 7 }, { retry: true });
// @ts-expect-error An item is a number.
await weir.request("order", { item: id });
// @ts-expect-error A room is a text.
await runtime.sendToRoom(7, {});
// @ts-expect-error It is a number.
await serve("", { workers: "2" });
// @ts-expect-error A definition is more than that.
defineConnector({});
export { count, detach, limit, others, results, service, start };
`;

const CORE = `
import { connect } from "@weir/runtime/client";
import { createRuntime, loadConfig } from "@weir/runtime";

const runtime = await createRuntime(await loadConfig(""));
export const response: Response = await runtime.fetch(new Request("http://localhost/"));
for await (const message of await connect("/ws").join("a")) console.log(message);
`;

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  noEmit: true,
  target: "es2022",
};

/** The core needs web standards alone. */
const WEB = { module: "nodenext", types: [], lib: ["es2022", "dom", "dom.iterable"] };

/** Each project: its file, and the options that it adds. The types of libraries are checked, too. */
const PROJECTS: Readonly<Record<string, { readonly file: string; readonly options: object }>> = {
  nodenext: {
    file: "program.ts",
    options: { module: "nodenext", moduleResolution: "nodenext", types: ["node"] },
  },
  bundler: {
    file: "program.ts",
    options: { module: "esnext", moduleResolution: "bundler", types: ["node"] },
  },
  core: { file: "core.ts", options: WEB },
  wrong: { file: "wrong.ts", options: WEB },
};

test("package: a strict TypeScript project finds the types of every entrypoint", async () => {
  const registry = await startRegistry();
  const stage = await openStage("node");
  try {
    const machine = await Machine.create(stage, registry.url);
    const folder = join(stage.folder, "project");
    await mkdir(folder);
    await haveNpmPackage(machine, folder);
    await writeFile(join(folder, "program.ts"), PROGRAM);
    await writeFile(join(folder, "core.ts"), CORE);
    await writeFile(join(folder, "wrong.ts"), CORE.replace("Response", "Respond"));
    for (const [name, { file, options }] of Object.entries(PROJECTS)) {
      const config = { compilerOptions: { ...STRICT, ...options }, files: [file] };
      await writeFile(join(folder, `tsconfig.${name}.json`), JSON.stringify(config));
    }
    const tsc = join(await needExtra("typescript"), "bin/tsc");
    const projects = Object.keys(PROJECTS).map((name) => `tsconfig.${name}.json`).join(" ");
    const { code, stdout } = await machine.start(`node ${tsc} -b ${projects}`, folder).ended();
    // Only where a type is missing, a project has an error.
    assert.match(stdout, /^wrong\.ts\(\d+,\d+\): error TS2304: Cannot find name 'Respond'\.\n$/);
    assert.notEqual(code, 0);
  } finally {
    await stage.end();
    registry.close();
  }
});
