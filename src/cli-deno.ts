/**
 * The `weir` command on Deno: `deno run -A jsr:@weir/runtime/cli run my/`. It does what `cli.ts` does,
 * with static imports alone: Deno starts a third faster with them.
 *
 * @module
 */
import { main } from "./commands/mod.ts";
import { denoHost } from "./server/deno.ts";

if (import.meta.main) await main({ host: denoHost });
