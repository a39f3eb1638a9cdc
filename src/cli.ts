/**
 * The `weir` command on any runtime: `deno run -A jsr:@weir/runtime/cli run my/`.
 *
 * @module
 */
import { main } from "./commands/mod.ts";

const { serve } = "Deno" in globalThis
  ? await import("./deno.ts")
  : "Bun" in globalThis
  ? await import("./bun.ts")
  : await import("./node.ts");

if (import.meta.main) await main(serve);
