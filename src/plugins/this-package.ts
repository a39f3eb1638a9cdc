/** Lets plugins import `@weir/runtime` where it is not installed: they get the package that runs. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "../base/clock.ts";
import { PluginError } from "../base/errors.ts";
import { withTimeout } from "../base/timeout.ts";
import { offerOnDeno, offerOnNode } from "./hooks.ts";
import { platform } from "./platform.ts";

/** The name of the package. */
const NAME = "@weir/runtime";

/** How long an import may take, in milliseconds. Deno may download packages meanwhile. */
const LONGEST_IMPORT = 60_000;

/** The part of `Bun` that is used here. */
interface BunGlobal {
  resolveSync(specifier: string, folder: string): string;
  plugin(plugin: {
    readonly name: string;
    setup(build: {
      module(
        specifier: string,
        load: () => Promise<{ readonly exports: object; readonly loader: "object" }>,
      ): void;
    }): void;
  }): void;
}

let offered = false;

/**
 * Imports the module with this URL, which may have a version. A plugin that has no `@weir/runtime` of
 * its own gets this one.
 */
export async function importModule(url: string, clock: Clock = systemClock): Promise<unknown> {
  if (platform === "node") offerOnNode(import.meta.url);
  if (platform === "bun") offerOnBun(url);
  const importing = platform === "deno" ? importOnDeno(url) : import(url);
  return await withTimeout(importing, LONGEST_IMPORT, refuseToWait, clock);
}

function refuseToWait(): never {
  const message = `has not been imported after ${LONGEST_IMPORT / 1_000} seconds`;
  const hint = "a module must not wait for anything at its top level: do it in start";
  throw new PluginError("plugin-failed", message, { hint });
}

async function importOnDeno(url: string): Promise<unknown> {
  try {
    return await import(url);
  } catch (error) {
    // A module can throw anything.
    const message = error instanceof Error && typeof error.message === "string"
      ? error.message
      : "";
    // The package that runs is one of npm, which Deno lets import no other registry.
    if (message.includes("ERR_UNSUPPORTED_ESM_URL_SCHEME")) return await importByData(url);
    const [, file] = /^Loading unprepared module: (file:[^\s,]+)/.exec(message) ?? [];
    // Only the import of that file itself tells what is wrong with it.
    if (file !== undefined) await import(file);
    // The hooks change how Deno loads modules, so they are installed where nothing else helps.
    else if (message.startsWith(`Import "${NAME}" not`) && offerOnDeno()) {
      return await importOnDeno(url);
    }
    throw error;
  }
}

/** Imports by a module that lies in no package. */
async function importByData(url: string): Promise<unknown> {
  const source = `import * as exports from ${JSON.stringify(url)}; export { exports };`;
  return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).exports;
}

function offerOnBun(url: string): void {
  if (offered || !url.startsWith("file:")) return;
  const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };
  if (isInstalled(Bun, dirname(fileURLToPath(url)))) return;
  offered = true;
  Bun.plugin({
    name: "weir",
    setup(build): void {
      build.module(NAME, async () => ({ exports: await import("../../mod.ts"), loader: "object" }));
    },
  });
}

function isInstalled(bun: BunGlobal, folder: string): boolean {
  try {
    bun.resolveSync(NAME, folder);
    return true;
  } catch {
    return false;
  }
}
