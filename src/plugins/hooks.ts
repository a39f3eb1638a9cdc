/** Hooks of Node and Deno for the imports inside of plugins. */
import { readFileSync } from "node:fs";
import module from "node:module";
import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { platform } from "./platform.ts";

/** The folder of the package that runs, and the extension of its modules; undefined in a bundle. */
const [, ROOT, EXTENSION] = /^(.*\/)src\/plugins\/hooks(\.[jt]s)$/.exec(import.meta.url) ?? [];
/** Its main module. */
const MAIN = ROOT && `${ROOT}mod${EXTENSION}`;
/** The name that plugins import. */
const NAME = "@weir/runtime";

/** A path or the URL of a file. What is imported by a name is a package. */
export const PATH: RegExp = /^(?:\.{0,2}\/|file:)/;
/** The name of a package, and not a path or a URL. */
const BARE = /^[^./:][^:]*$/;
/** WebAssembly. */
const WASM = /\.wasm(?:[?#]|$)/;
const NOT_FOUND = "ERR_MODULE_NOT_FOUND";

/** The formats of files that Node would read as CommonJS, and what they are as modules. */
const MODULE_FORMATS: ReadonlyMap<unknown, string> = new Map([
  ["commonjs", "module"],
  ["commonjs-typescript", "module-typescript"],
]);

/** The parameter of a URL that tells one import of a file from the next. */
const VERSION = /[?&]weir=(\d+)$/;

/** The part of `node:module` that is used here. Versions before Node 22.15 lack it. */
interface HookModule {
  registerHooks?(hooks: {
    readonly resolve: Hook<ResolveContext, Resolved>;
    readonly load?: Hook<unknown, unknown>;
  }): void;
}

type Hook<Context, Result> = (
  name: string,
  context: Context,
  next: (name: string, context: Context) => Result,
) => Result;

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean;
}

const { registerHooks } = module as HookModule;
let passes = false;
let offers = false;
let record: ((parent: string, child: string) => void) | undefined;

/** Lets a file whose URL has a version pass it on to the files that it imports by their paths. */
export function passVersions(): void {
  if (passes) return;
  passes = true;
  registerHooks?.({
    resolve(specifier, context, next) {
      const { parentURL = "" } = context;
      const [, version] = VERSION.exec(parentURL) ?? [];
      // Deno may have packages in a folder of its own, without a node_modules.
      if (version === undefined || !PATH.test(specifier)) return next(specifier, context);
      // Deno has no hook that could import it under a URL with a version.
      if (platform === "deno" && WASM.test(specifier)) return next(specifier, context);
      // Node fails where there is no file, which may exist the next time.
      const { href } = new URL(specifier, parentURL);
      if (isOwnFile(href)) record?.(parentURL, href);
      const found = next(specifier, context);
      if (!isOwnFile(found.url)) return found;
      record?.(parentURL, found.url);
      return { ...found, url: withVersion(found.url, Number(version)) };
    },
  });
}

/**
 * Offers this package as `@weir/runtime` where Node does not find it. Plugins are modules, even if
 * the nearest `package.json` has the type `commonjs`, which `npm init` writes: the files that
 * `importer` imports, and those that they import.
 */
export function offerOnNode(importer: string): void {
  if (offers || MAIN === undefined) return;
  offers = true;
  const importers = new Set([importer]);
  registerHooks?.({
    resolve(specifier, context, next) {
      const found = resolveOrOffer(specifier, context, next);
      if (!importers.has(withoutVersion(context.parentURL ?? ""))) return found;
      if (!isOwnFile(found.url)) return found;
      importers.add(withoutVersion(found.url));
      const format = MODULE_FORMATS.get(found.format);
      return format !== undefined && isModule(found.url) ? { ...found, format } : found;
    },
  });
}

/** Whether a file has a line that only a module can have. */
function isModule(url: string): boolean {
  const path = fileURLToPath(withoutVersion(url));
  return !/\.c[jt]s$/.test(path) &&
    /^(?:import[\s{*"']|export[\s{*])/m.test(readFileSync(path, "utf8"));
}

function resolveOrOffer(
  specifier: string,
  context: ResolveContext,
  next: (specifier: string, context: ResolveContext) => Resolved,
): Resolved {
  try {
    return next(specifier, context);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (specifier !== NAME || code !== NOT_FOUND || MAIN === undefined) throw error;
    return { url: MAIN, shortCircuit: true };
  }
}

/**
 * Offers this package as `@weir/runtime` where Deno does not find it. Returns false if it is offered
 * already, or cannot be.
 */
export function offerOnDeno(): boolean {
  if (offers || MAIN === undefined || registerHooks === undefined) return false;
  offers = true;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      if (!isMissing(specifier, context, found)) return found;
      if (specifier === NAME) return { url: MAIN, shortCircuit: true };
      const error = new TypeError(`Import "${specifier}" not a dependency`);
      throw Object.assign(error, { code: NOT_FOUND });
    },
    // Only with this hook does Deno ask the other one for what a module imports.
    load: (url, context, next) =>
      // What `next` returns for WebAssembly is read as JavaScript. Deno itself reads it right.
      WASM.test(url) ? { format: "wasm", shortCircuit: true } : next(url, context),
  });
  return true;
}

/** Deno makes a file beside the importing one of a name that its configuration does not have. */
function isMissing(name: string, { parentURL = "" }: ResolveContext, { url }: Resolved): boolean {
  return BARE.test(name) && URL.canParse(name, parentURL) && new URL(name, parentURL).href === url;
}

/** Calls `act` with the URLs of an importing and an imported file of plugins, from now on. */
export function onImport(act: (parent: string, child: string) => void): void {
  record = act;
}

/** The URL of a module as no import has used it yet. */
export function withVersion(url: string, version: number): string {
  return `${url}${url.includes("?") ? "&" : "?"}weir=${version}`;
}

/** The same URL or text without versions. */
export function withoutVersion(text: string): string {
  return text.replaceAll(/[?&]weir=\d+/g, "");
}

/** Whether a path or URL is a file of a plugin: packages and this one do not change. */
export function isOwnFile(path: string): boolean {
  const url = fileUrlOf(path);
  return url !== undefined && !url.includes("/node_modules/") && !isThisPackage(path);
}

/** Whether a path or URL is a module of the package that runs. In a bundle none is a file. */
export function isThisPackage(path: string): boolean {
  const url = fileUrlOf(path);
  return ROOT !== undefined && url !== undefined &&
    (url === MAIN || url.startsWith(`${ROOT}src/`));
}

function fileUrlOf(path: string): string | undefined {
  return path.startsWith("file:") ? path : isAbsolute(path) ? pathToFileURL(path).href : undefined;
}
