/** Where `weir` keeps what makes the next start faster. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import process from "node:process";

/** The part of `Deno` that is used here. */
interface DenoGlobal {
  readonly permissions: {
    querySync(descriptor: { readonly name: string }): { readonly state: string };
  };
}

/**
 * What `WEIR_CACHE` names, else `$XDG_CACHE_HOME/weir` or `~/.cache/weir`. Undefined where
 * `WEIR_CACHE` is `off` or no absolute path, or where Deno would have to ask somebody whether it may.
 */
export function cacheFolder(): string | undefined {
  const { Deno } = globalThis as { readonly Deno?: DenoGlobal };
  const may = (name: string) => Deno?.permissions.querySync({ name }).state === "granted";
  if (Deno !== undefined && !["env", "read", "write", "sys"].every(may)) return undefined;
  const { WEIR_CACHE = "", XDG_CACHE_HOME = "" } = process.env;
  if (WEIR_CACHE !== "") return isAbsolute(WEIR_CACHE) ? WEIR_CACHE : undefined;
  const base = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), ".cache");
  return isAbsolute(base) ? join(base, "weir") : undefined;
}
