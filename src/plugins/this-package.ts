/** Lets plugins import `@weir/runtime` where it is not installed: they get the package that runs. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { offerOnDeno, offerOnNode } from "./hooks.ts";
import { platform } from "./platform.ts";

/** The name of the package. */
const NAME = "@weir/runtime";

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
export async function importModule(url: string): Promise<unknown> {
  if (platform === "node") offerOnNode(import.meta.url);
  if (platform === "bun") offerOnBun(url);
  return await (platform === "deno" ? importOnDeno(url) : import(url));
}

async function importOnDeno(url: string): Promise<unknown> {
  try {
    return await import(url);
  } catch (error) {
    const { message } = error as { readonly message?: unknown };
    const [, file] = /^Loading unprepared module: (file:[^\s,]+)/.exec(String(message)) ?? [];
    // Only the import of that file itself tells what is wrong with it.
    if (file !== undefined) await import(file);
    // The hooks change how Deno loads modules, so they are installed where nothing else helps.
    else if (String(message).startsWith(`Import "${NAME}" not`) && offerOnDeno()) {
      return await importOnDeno(url);
    }
    throw error;
  }
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
