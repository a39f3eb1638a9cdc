/**
 * The `weir` command on any runtime. It imports on demand, so that Node's compile cache is enabled
 * before.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cacheFolder, makePrivate } from "./server/cache-folder.ts";

/** Runs the command that the process was started with, and exits with its code. */
export async function start(): Promise<void> {
  const { bun, deno } = process.versions;
  if (bun === undefined && deno === undefined) {
    enableCompileCache();
    hideSqliteWarning();
  }
  const { main } = await import("./commands/mod.ts");
  await main();
}

function enableCompileCache(): void {
  const folder = cacheFolder();
  const compiled = folder && join(folder, "node");
  if (compiled !== undefined && makePrivate(compiled)) module.enableCompileCache(compiled);
}

/** Node 22 warns that its SQLite is experimental, which a user of Weir can do nothing about. */
function hideSqliteWarning(): void {
  const emitWarning = process.emitWarning as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]) => {
    if (!String(args[0]).startsWith("SQLite is an experimental feature")) {
      emitWarning.apply(process, args);
    }
  };
}

/** What `import.meta.main` says, which Node 22 lacks. */
function isProgram(): boolean {
  try {
    return realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
  } catch {
    return false; // There is no file: the program is text that Node was given.
  }
}

if (import.meta.main ?? isProgram()) await start();
