/** Bun: the whole server is the runtime. In a project of yours, import "@weir/runtime/bun". */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { createRuntime } from "../../src/bun.ts";

const runtime = await createRuntime(await readFile(new URL("live.hcl", import.meta.url), "utf8"));

process.once("SIGINT", async () => {
  await runtime.close();
  process.exit();
});

// Bun serves what its main module exports; Bun.serve takes the same.
export default {
  port: Number(process.env.PORT ?? 3000),
  fetch: runtime.fetch,
  websocket: runtime.websocket,
};
