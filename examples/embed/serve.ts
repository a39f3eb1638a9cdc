/**
 * A server of its own, started by a program: Weir listens where the configuration says, and the
 * program sends through the same flows and connections. "@weir/runtime/deno" and "/bun" export the
 * same `serve`. In a project of yours, import "@weir/runtime/node".
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { serve } from "../../src/node.ts";

const config = await readFile(new URL("live.hcl", import.meta.url), "utf8");
const service = await serve(config, { ports: { ws: Number(process.env.PORT ?? 3000) } });
console.log(`listening on ${service.addresses.join(" and ")}`);

// Once a second, everybody is told how many they are.
const timer = setInterval(async () => {
  const { connections } = service.runtime.counts().ws;
  await service.runtime.publish("order.updated", { watchers: connections });
}, 1000);

process.once("SIGINT", async () => {
  clearInterval(timer);
  await service.close();
});
