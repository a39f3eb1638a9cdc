/** Every way of embedding, each on the runtime that it is for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { onAllRuntimes, openStage, type Process } from "../support/process.ts";
import type { Tool } from "../support/toolchain.ts";
import { post, WebClient } from "../support/web-client.ts";

/** An example that listens. */
interface Embedding {
  readonly file: string;
  readonly runtime: Tool;
  /** What stands in front of the configuration's paths. */
  readonly mount?: string;
  /** Whether the application answers `/` itself. */
  readonly ownPage?: boolean;
  /** What clients see when it ends; Deno's own sockets cannot send 1001. */
  readonly goodbye?: number;
}

const embeddings: readonly Embedding[] = [
  { file: "deno-serve.ts", runtime: "deno", goodbye: 4001 },
  { file: "deno-hono.ts", runtime: "deno", mount: "/live", ownPage: true, goodbye: 4001 },
  { file: "bun-serve.ts", runtime: "bun" },
  { file: "bun-hono.ts", runtime: "bun", mount: "/live", ownPage: true },
  { file: "node-http.ts", runtime: "node", ownPage: true },
  { file: "node-hono.ts", runtime: "node", mount: "/live", ownPage: true },
];

for (const { file, runtime, mount = "", ownPage = false, goodbye = 1001 } of embeddings) {
  test(`embed/${file}: clients, orders, the application's own page, Ctrl-C`, async () => {
    await withExample(runtime, file, async (program, port) => {
      const address = `localhost:${port}${mount}`;
      const ada = await WebClient.open(`ws://${address}/ws`);
      const bob = await WebClient.open(`ws://${address}/ws`);
      assert.equal((await ada.request({ type: "message", data: { text: "Hi" } })).type, "ack");
      assert.deepEqual(await bob.message(), { text: "Hi" });

      const order = { id: "A17", status: "packed" };
      const answer = await post(`http://${address}/orders`, order);
      assert.ok(answer.ok, `${answer.status}`);
      await answer.body?.cancel();
      assert.deepEqual(await ada.message(), order);
      assert.deepEqual(await bob.message(), order);

      const page = await fetch(`http://localhost:${port}/`);
      const text = await page.text();
      if (ownPage) assert.equal(text, "2 connected\n");
      else assert.equal(page.status, 404);

      program.signal("SIGINT");
      assert.deepEqual(await Promise.all([ada.closed, bob.closed]), [goodbye, goodbye]);
      assert.equal((await program.ended()).code, 0, program.output);
    });
  });
}

test("embed/serve.ts: it listens by itself, and the program publishes through it", async () => {
  await withExample("node", "serve.ts", async (program, port) => {
    const client = await WebClient.open(`ws://localhost:${port}/ws`);
    assert.deepEqual(await client.message(), { watchers: 1 });
    program.signal("SIGINT");
    assert.equal(await client.closed, 1001);
    assert.equal((await program.ended()).code, 0, program.output);
  });
});

test("embed/foreign-connector.ts: the same on all runtimes", async () => {
  await onAllRuntimes(async (stage) => {
    const { code, stdout, stderr } =
      await (await stage.script("examples/embed/foreign-connector.ts")).ended();
    assert.equal(stdout, 'alert: {"order":"A17","text":"somebody spent 250"}\n');
    assert.equal(code, 0, stderr);
  });
});

/** Starts an example on a free port. */
async function withExample(
  runtime: Tool,
  file: string,
  run: (program: Process, port: number) => Promise<void>,
): Promise<void> {
  const stage = await openStage(runtime);
  try {
    const program = await stage.script(`examples/embed/${file}`, [], { env: { PORT: "0" } });
    const [, port] = await program.says(/(?:http|ws):\/\/[^\s/]+:(\d+)/);
    await run(program, Number(port));
  } finally {
    await stage.end();
  }
}
