/** Where `weir` keeps what makes the next start faster. */
import { lstatSync, mkdirSync, type Stats } from "node:fs";
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
 * What `WEIR_CACHE` names, else `$XDG_CACHE_HOME/weir` or `~/.cache/weir`; it is made where it is not
 * there. Undefined where `WEIR_CACHE` is `off` or no absolute path, where others may write to the
 * folder, or where Deno would have to ask somebody whether it may.
 */
export function cacheFolder(): string | undefined {
  const { Deno } = globalThis as { readonly Deno?: DenoGlobal };
  const may = (name: string) => Deno?.permissions.querySync({ name }).state === "granted";
  if (Deno !== undefined && !["env", "read", "write", "sys"].every(may)) return undefined;
  const folder = namedFolder();
  return folder !== undefined && makePrivate(folder) ? folder : undefined;
}

/** Whether a file or folder, a link not followed, is this user's alone to write to. */
export function isPrivate(found: Stats): boolean {
  // On Windows, where there is no such number, the folder of a user is the user's own.
  const user = process.geteuid?.();
  return user === undefined || (found.uid === user && (found.mode & 0o022) === 0);
}

/** Makes a folder that is this user's alone, where it is not there; false where it is not. */
export function makePrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    return found.isDirectory() && isPrivate(found);
  } catch {
    return false;
  }
}

function namedFolder(): string | undefined {
  const { WEIR_CACHE = "", XDG_CACHE_HOME = "" } = process.env;
  if (WEIR_CACHE !== "") return isAbsolute(WEIR_CACHE) ? WEIR_CACHE : undefined;
  const base = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), ".cache");
  return isAbsolute(base) ? join(base, "weir") : undefined;
}
