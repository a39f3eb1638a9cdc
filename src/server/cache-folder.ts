/** The folder in which `weir` keeps what makes the next start faster. */
import { lstatSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import process from "node:process";
import { makeFolder } from "../base/folder.ts";

/** The part of `Deno` that is used here. */
interface DenoGlobal {
  readonly permissions: {
    querySync(descriptor: { readonly name: string }): { readonly state: string };
  };
}

/**
 * The folder that `WEIR_CACHE` names, else `$XDG_CACHE_HOME/weir` or `~/.cache/weir`. Creates it if it
 * does not exist. Undefined if `WEIR_CACHE` is `off` or not an absolute path, if the user has no home, if
 * other users may write to the folder, or if Deno would have to ask for a permission.
 */
export function cacheFolder(): string | undefined {
  const { Deno } = globalThis as { readonly Deno?: DenoGlobal };
  const may = (name: string) => Deno?.permissions.querySync({ name }).state === "granted";
  if (Deno !== undefined && !["env", "read", "write", "sys"].every(may)) return undefined;
  const folder = namedFolder();
  return folder !== undefined && makePrivate(folder) ? folder : undefined;
}

/** Whether only this user may write to a file or folder. Links are not followed. */
export function isPrivate(found: Stats): boolean {
  // Windows has no such number; there the folder of a user is private.
  const user = process.geteuid?.();
  return user === undefined || (found.uid === user && (found.mode & 0o022) === 0);
}

/** Creates a folder if it does not exist. Returns whether only this user may write to it. */
export function makePrivate(folder: string): boolean {
  try {
    makeFolder(folder, 0o700);
    const found = lstatSync(folder);
    return found.isDirectory() && isPrivate(found);
  } catch {
    return false;
  }
}

function namedFolder(): string | undefined {
  const { WEIR_CACHE = "", XDG_CACHE_HOME = "" } = process.env;
  if (WEIR_CACHE !== "") return isAbsolute(WEIR_CACHE) ? WEIR_CACHE : undefined;
  if (isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, "weir");
  const home = homeFolder();
  return isAbsolute(home) ? join(home, ".cache", "weir") : undefined;
}

/** Empty for a user without one: a container can run as a number that no user has. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
