/** Node: a part of a Hono application. In a project of yours, import "@weir/runtime/node". */
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { attach, createRuntime } from "../../src/node.ts";

const runtime = await createRuntime(await readFile(new URL("live.hcl", import.meta.url), "utf8"));

const app = new Hono();
app.get("/", (c) => c.text(`${runtime.counts().ws.connections} connected\n`));
// Orders at /live/orders.
app.route("/live", runtime.app);

const server = createAdaptorServer({ fetch: app.fetch }) as Server;
// Node announces upgrades apart from requests: WebSocket at /live/ws.
attach(server, runtime, { mount: "/live" });

server.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`listening on http://localhost:${(server.address() as AddressInfo).port}`);
});

process.once("SIGINT", async () => {
  await runtime.close();
  server.close();
});
