/** What a runtime brings to serve with. */
import type { RuntimeOptions } from "../runtime/mod.ts";
import type { Listen } from "./listeners.ts";

/** The first argument of a process that is started as a worker. No path and no command equals it. */
export const WORKER_ARGUMENT = "--worker";

/** The largest number of workers. */
export const MAX_WORKERS = 256;

/** What differs between the runtimes. */
export interface Host {
  /** How to read the environment and files, and how to upgrade requests. */
  readonly options: RuntimeOptions;
  readonly listen: Listen;
  /** The program and the arguments of a worker. By default a module of this package. */
  readonly workerCommand?: readonly string[];
}

/** Imports the host of the runtime that runs this process. */
export async function loadHost(): Promise<Host> {
  if ("Deno" in globalThis) return (await import("./deno.ts")).denoHost;
  if ("Bun" in globalThis) return (await import("./bun.ts")).bunHost;
  return (await import("./node.ts")).nodeHost;
}

/**
 * The specifier of the command, which is also the program of a worker. Undefined in a bundle and in an
 * executable, which have no file of it.
 */
export function commandSpecifier(): string | undefined {
  // The names end with `.js` in the npm package.
  const extension = import.meta.url.slice(-3);
  const [folder, rest] = import.meta.url.split(`/server/host${extension}`);
  const { Deno } = globalThis as { readonly Deno?: { readonly build: Build } };
  if (rest !== "" || Deno?.build.standalone === true) return undefined;
  if (Deno === undefined) return `${folder}/cli${extension}`;
  // Deno runs a package in its own cache by name only. The path there ends with `VERSION/src`.
  const version = folder.split("/").at(-2);
  const isCached = extension === ".js" && !folder.includes("/node_modules/");
  return isCached ? `npm:@weir/runtime@${version}` : `${folder}/cli-deno${extension}`;
}

interface Build {
  /** True in an executable that was made by `deno compile`. */
  readonly standalone?: boolean;
}
