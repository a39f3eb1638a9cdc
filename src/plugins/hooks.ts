/** Hooks of Node and Deno for the imports inside of plugins. */
import module from "node:module";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

/** The folder of the package that runs, and the extension of its modules; undefined in a bundle. */
const [, ROOT, EXTENSION] = /^(.*\/)src\/plugins\/hooks(\.[jt]s)$/.exec(import.meta.url) ?? [];
/** Its main module. */
const MAIN = ROOT && `${ROOT}mod${EXTENSION}`;
/** The name that plugins import. */
const NAME = "@weir/runtime";

/** The parameter of a URL that tells one import of a file from the next. */
const VERSION = /[?&]weir=(\d+)$/;

/** The part of `node:module` that is used here. Versions before Node 22.15 lack it. */
interface HookModule {
  registerHooks?(hooks: {
    resolve(specifier: string, context: ResolveContext, next: Resolve): Resolved;
  }): void;
}

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean;
}

type Resolve = (specifier: string, context: ResolveContext) => Resolved;

let installed = false;
let record: ((parent: string, child: string) => void) | undefined;

/**
 * Installs the hooks once. A file whose URL has a version passes it on to the files that it imports.
 * On Node, `@weir/runtime` is this package where it is not installed.
 */
export function installHooks(): void {
  const { registerHooks } = module as HookModule;
  if (installed || registerHooks === undefined) return;
  installed = true;
  registerHooks({
    resolve(specifier, context, next) {
      const found = resolveOrOffer(specifier, context, next);
      const { parentURL = "" } = context;
      const [, version] = VERSION.exec(parentURL) ?? [];
      if (version === undefined || !isOwnFile(found.url)) return found;
      record?.(parentURL, found.url);
      return { ...found, url: withVersion(found.url, Number(version)) };
    },
  });
}

/** Calls `act` with the URLs of an importing and an imported file of plugins, from now on. */
export function onImport(act: (parent: string, child: string) => void): void {
  record = act;
}

/** The URL of a module as no import has used it yet. */
export function withVersion(url: string, version: number): string {
  return `${url}${url.includes("?") ? "&" : "?"}weir=${version}`;
}

/** Whether a path or URL is a file of a plugin: packages and this one do not change. */
export function isOwnFile(path: string): boolean {
  const url = path.startsWith("file:") ? path : isAbsolute(path) ? pathToFileURL(path).href : "";
  return url !== "" && !url.includes("/node_modules/") && url !== MAIN &&
    !(ROOT && url.startsWith(`${ROOT}src/`));
}

function resolveOrOffer(specifier: string, context: ResolveContext, next: Resolve): Resolved {
  try {
    return next(specifier, context);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (specifier !== NAME || code !== "ERR_MODULE_NOT_FOUND" || MAIN === undefined) throw error;
    return { url: MAIN, shortCircuit: true };
  }
}
