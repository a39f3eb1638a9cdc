/** Lets plugins import `@weir/runtime` where it is not installed: they get the package that runs. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { installHooks } from "./hooks.ts";
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

/** Prepares the import of the module with this URL. Deno reads its own configuration instead. */
export function offerThisPackage(url: string): void {
  if (platform === "node") installHooks();
  if (platform !== "bun" || offered || !url.startsWith("file:")) return;
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
