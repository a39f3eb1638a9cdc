/** Deno: the whole server is the runtime. In a project of yours, import "@weir/runtime/deno". */
import { createRuntime } from "../../src/deno.ts";

const runtime = await createRuntime(await Deno.readTextFile(new URL("live.hcl", import.meta.url)));
const server = Deno.serve({
  port: Number(Deno.env.get("PORT") ?? 3000),
  onListen: ({ port }) => console.log(`listening on http://localhost:${port}`),
}, runtime.fetch);

Deno.addSignalListener("SIGINT", async () => {
  await runtime.close();
  await server.shutdown();
  Deno.exit();
});
