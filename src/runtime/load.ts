/** Loads configurations with the built-in connectors and those of the caller. */
import { loadFiles } from "../config/mod.ts";
import type { TextCache } from "../hcl/scope.ts";
import type { SourceFile } from "../hcl/tree.ts";
import type { ConnectorType, FileDependency } from "../contract/definition.ts";
import * as builtInConnectors from "../connectors/mod.ts";
import type { Model } from "../model/mod.ts";

export type { TextCache } from "../hcl/scope.ts";

/** A configuration: a model, a text, or files that are merged in their order. */
export type Configuration = Model | string | readonly SourceFile[];

/** The options of `loadConfig`. */
export interface LoadOptions {
  /**
   * The caller's connector types by the name for `type`. They override built-in types and those of
   * plugins.
   */
  readonly connectors?: Readonly<Record<string, ConnectorType>>;
  /** Reads environment variables for `env("NAME")`. By default, none is set. */
  readonly env?: (name: string) => string | undefined;
  /** Reads text files for `file("path")`. By default, it throws. */
  readonly readFile?: (path: string) => string | Promise<string>;
  /**
   * Imports the module of a plugin, which `plugins` of the `service` block names, and returns its
   * exports. `folder` is the folder of the configuration file. It throws a `PluginError` if the
   * module cannot be imported. The entrypoints for Deno, Bun and Node have their own. Without it, a
   * configuration cannot have plugins.
   */
  readonly importPlugin?: (specifier: string, folder: string) => unknown;
  /**
   * Caches the parsed form of a text, so that the same text loads faster the next time. It must be
   * as trustworthy as the configuration itself. None by default.
   */
  readonly cache?: TextCache | undefined;
  /** The time for expressions, in milliseconds since the epoch. By default, this machine's time. */
  readonly now?: () => number;
  /**
   * Fills bytes with random values, which `uuid()` and `random()` use. By default, those of
   * `crypto`. A test can pass a repeatable source.
   */
  readonly randomBytes?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /**
   * Whether a program embeds the configuration and may publish to its brokers. If false, flows that
   * nothing publishes to cause a warning. True by default.
   */
  readonly embedded?: boolean;
  /**
   * Whether there is a folder at a path. With it, a folder that an attribute names and that does not
   * exist is a problem of the configuration; without it, the start fails.
   */
  readonly hasFolder?: ((path: string) => boolean | Promise<boolean>) | undefined;
  /**
   * Whether the statements for databases are compared with the tables that the `migrations` make.
   * `weir check` does that. False by default.
   */
  readonly inspect?: boolean;
  /**
   * Called with each file that a start reads beside the configuration and what `readFile` reads, such
   * as a folder of migrations. Also called where the configuration has problems.
   */
  readonly onFile?: (file: FileDependency) => void;
}

/**
 * Loads and checks a configuration: a text, or files that are merged in their order.
 *
 * @throws {ConfigError} The configuration has problems. The error lists all of them.
 *
 * @example
 * ```ts
 * import { loadConfig } from "@weir/runtime";
 *
 * const model = await loadConfig(`
 *   connector "ws" {
 *     type = "websocket"
 *     port = 3001
 *   }
 * `);
 * console.log([...model.connectors.keys()]); // ["ws"]
 * ```
 */
export function loadConfig(
  source: string | readonly SourceFile[],
  options: LoadOptions = {},
): Promise<Model> {
  return loadFiles(asFiles(source), {
    builtIn: builtInConnectors,
    connectors: options.connectors ?? {},
    importPlugin: options.importPlugin,
    env: options.env ?? (() => undefined),
    readFile: options.readFile ?? refuseToRead,
    cache: options.cache,
    now: options.now,
    randomBytes: options.randomBytes,
    embedded: options.embedded ?? true,
    hasFolder: options.hasFolder,
    inspect: options.inspect ?? false,
    onFile: options.onFile,
  });
}

/** The model of a configuration, which is loaded unless it is one. */
export async function modelOf(config: Configuration, options: LoadOptions): Promise<Model> {
  const isModel = typeof config === "object" && "connectors" in config;
  return isModel ? config : await loadConfig(config, options);
}

/** Wraps a text as the file `config.hcl`. */
export function asFiles(source: string | readonly SourceFile[]): readonly SourceFile[] {
  return typeof source === "string" ? [{ path: "config.hcl", text: source, folder: "." }] : source;
}

function refuseToRead(path: string): never {
  throw new Error(`cannot read ${path}: loadConfig has no readFile option`);
}
