/** Deno: a part of a Hono application. In a project of yours, import "@weir/runtime/deno". */
import { Hono } from "hono";
import { createRuntime } from "../../src/deno.ts";

const runtime = await createRuntime(await Deno.readTextFile(new URL("live.hcl", import.meta.url)));

const app = new Hono();
app.get("/", (c) => c.text(`${runtime.counts().ws.connections} connected\n`));
// WebSocket at /live/ws, orders at /live/orders.
app.route("/live", runtime.app);

const server = Deno.serve({
  port: Number(Deno.env.get("PORT") ?? 3000),
  onListen: ({ port }) => console.log(`listening on http://localhost:${port}`),
}, app.fetch);

Deno.addSignalListener("SIGINT", async () => {
  await runtime.close();
  await server.shutdown();
  Deno.exit();
});
