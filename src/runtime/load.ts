/** Configuration text → model, with the connectors that Weir brings and those that are handed in. */
import { loadFiles } from "../config/mod.ts";
import type { TextCache } from "../hcl/scope.ts";
import type { SourceFile } from "../hcl/tree.ts";
import type { ConnectorType } from "../contract/definition.ts";
import { builtInConnectors } from "../connectors/mod.ts";
import type { Model } from "../model/mod.ts";

export type { TextCache } from "../hcl/scope.ts";

/** A configuration: a model, one text, or files that are merged in the order given. */
export type Configuration = Model | string | readonly SourceFile[];

/** What a configuration is read with. */
export interface LoadOptions {
  /** Foreign connectors by the name that `type` gives them; they take precedence. */
  readonly connectors?: Readonly<Record<string, ConnectorType>>;
  /** Reads environment variables, for `env("NAME")`. None are set by default. */
  readonly env?: (name: string) => string | undefined;
  /** Reads text files, for `file("path")`. Fails by default. */
  readonly readFile?: (path: string) => string | Promise<string>;
  /**
   * Keeps what the parser says of a text, so that the same text is read faster the next time. Who can
   * write to it decides how a configuration is understood. None by default.
   */
  readonly cache?: TextCache | undefined;
  /** The time for expressions, in milliseconds since the epoch; the machine's own by default. */
  readonly now?: () => number;
  /**
   * True where a program has the configuration inside of it and may publish on its brokers, too;
   * false brings warnings of flows that then never start. True by default.
   */
  readonly embedded?: boolean;
}

/**
 * Reads and checks a configuration: one text, or several files that are merged in the order given.
 *
 * @throws {ConfigError} With every problem, each with file, line and column.
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
    types: { ...builtInConnectors, ...options.connectors },
    env: options.env ?? (() => undefined),
    readFile: options.readFile ?? refuseToRead,
    cache: options.cache,
    now: options.now,
    embedded: options.embedded ?? true,
  });
}

/** One text as the file that problems name. */
export function asFiles(source: string | readonly SourceFile[]): readonly SourceFile[] {
  return typeof source === "string" ? [{ path: "config.hcl", text: source, folder: "." }] : source;
}

function refuseToRead(path: string): never {
  throw new Error(`cannot read ${path}: loadConfig was given no readFile`);
}
