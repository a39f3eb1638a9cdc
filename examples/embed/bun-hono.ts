/** Bun: a part of a Hono application. In a project of yours, import "@weir/runtime/bun". */
import { Hono } from "hono";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { createRuntime } from "../../src/bun.ts";

const runtime = await createRuntime(await readFile(new URL("live.hcl", import.meta.url), "utf8"));

const app = new Hono();
app.get("/", (c) => c.text(`${runtime.counts().ws.connections} connected\n`));
// WebSocket at /live/ws, orders at /live/orders.
app.route("/live", runtime.app);

process.once("SIGINT", async () => {
  await runtime.close();
  process.exit();
});

// Bun serves what its main module exports; Bun.serve takes the same.
export default {
  port: Number(process.env.PORT ?? 3000),
  fetch: app.fetch,
  websocket: runtime.websocket,
};
