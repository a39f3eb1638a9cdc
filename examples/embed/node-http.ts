/** Node: beside what a node:http server does already. In a project of yours, import "@weir/runtime/node". */
import { getRequestListener } from "@hono/node-server";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { attach, createRuntime } from "../../src/node.ts";

const runtime = await createRuntime(await readFile(new URL("live.hcl", import.meta.url), "utf8"));
const others = getRequestListener(runtime.fetch);

const server = createServer((request, response) => {
  if (request.url === "/") response.end(`${runtime.counts().ws.connections} connected\n`);
  else others(request, response);
});
// Node announces upgrades apart from requests, so WebSockets take this way.
attach(server, runtime);

server.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`listening on http://localhost:${(server.address() as AddressInfo).port}`);
});

process.once("SIGINT", async () => {
  await runtime.close();
  server.close();
});
