/** What the text of a plugin names: a file or a package. */
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PluginError } from "../base/errors.ts";
import { platform } from "./platform.ts";

/** A file. */
export interface FileSpecifier {
  readonly kind: "file";
  /** Absolute. */
  readonly path: string;
}

/** A package in a folder `node_modules`. */
export interface PackageSpecifier {
  readonly kind: "package";
  /** Such as `weir-plugin-redis` or `@scope/name`. */
  readonly name: string;
  /** A version or a range; undefined for any. */
  readonly version: string | undefined;
  /** Such as `/sub`; empty for the main module. */
  readonly subpath: string;
  /** Where it is installed from. */
  readonly registry: "npm" | "jsr";
}

/** What only Deno can import: it downloads packages by itself. */
export interface RegistrySpecifier {
  readonly kind: "registry";
}

/** A scheme, and not the letter of a drive. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;
const PATH = /^(?:\.{0,2}[/\\]|\.{1,2}$|[a-z]:[/\\])/i;
const PACKAGE = /^((?:@[^/@\s]+\/)?[^/@\s.#][^/@\s]*)(?:@([^/\s@]+))?((?:\/[^\s]+)?)$/;
const FORMS = 'write a file such as "./redis.ts", or a package such as "npm:weir-plugin-redis"';

/**
 * Reads the text.
 *
 * @throws {PluginError} It is neither a file nor a package.
 */
export function readSpecifier(
  specifier: string,
  folder: string,
): FileSpecifier | PackageSpecifier | RegistrySpecifier {
  if (PATH.test(specifier)) return { kind: "file", path: resolve(folder, specifier) };
  const scheme = SCHEME.exec(specifier)?.[1].toLowerCase();
  switch (scheme) {
    case "file":
      return { kind: "file", path: pathOf(specifier) };
    case "npm":
    case "jsr":
      if (platform === "deno") return { kind: "registry" };
      return readPackage(specifier, specifier.slice(scheme.length + 1), scheme);
    case undefined:
      return readPackage(specifier, specifier, "npm");
    case "http":
    case "https":
      throw refusal("is the URL of a server, and plugins are files or packages");
    default:
      throw refusal(`begins with "${scheme}:", and plugins are files or packages`);
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw refusal(`is not a URL of a file: ${(cause as Error).message}`, { cause });
  }
}

function readPackage(
  specifier: string,
  text: string,
  registry: PackageSpecifier["registry"],
): PackageSpecifier {
  const [, name, version, subpath] = PACKAGE.exec(text) ?? [];
  if (name === undefined) throw refusal("is neither a file nor a package");
  if (version !== undefined && text === specifier) {
    const hint = `write it as "npm:${specifier}"`;
    throw refusal("has a version, which only npm: and jsr: can have", { hint });
  }
  if (registry === "jsr" && !name.startsWith("@")) {
    throw refusal("has no scope, which every package of JSR has", {
      hint: "such as jsr:@me/redis",
    });
  }
  return { kind: "package", name, version, subpath, registry };
}

function refusal(
  message: string,
  options: ErrorOptions & { readonly hint?: string } = {},
): PluginError {
  return new PluginError("plugin-specifier", message, { hint: FORMS, ...options });
}

/** The URL of a path, for `import()`. */
export function urlOf(path: string): string {
  return pathToFileURL(path).href;
}
