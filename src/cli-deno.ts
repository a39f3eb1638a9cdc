/**
 * The `weir` command for Deno: `deno run -A jsr:@weir/runtime/cli run my/`. It has static imports, with
 * which Deno starts a third faster. On another runtime it does what `cli.ts` does.
 *
 * @module
 */
import { main } from "./commands/mod.ts";
import { denoHost } from "./server/deno.ts";

/** Runs the command that the process was started with, and exits with its code. */
export async function start(): Promise<void> {
  if ("Deno" in globalThis) return await main({ host: denoHost });
  const command = await import("./cli.ts");
  await command.start();
}

if (import.meta.main) await start();
