/** The modules of plugins: imports them and reads the connector types that they export. */
import * as v from "valibot";
import { PluginError } from "../base/errors.ts";
import { messageOf } from "../base/shown.ts";
import type { ConnectorType } from "../contract/definition.ts";
import type { Report, Span } from "../hcl/tree.ts";

/** Imports a module and returns its exports; `folder` is that of the configuration file. */
export type ImportPlugin = (specifier: string, folder: string) => unknown;

/** One module that a configuration names. */
export interface ListedPlugin {
  /** As written. */
  readonly specifier: string;
  readonly span: Span;
  /** The folder of the file that names it. */
  readonly folder: string;
}

/** The connector types of all plugins. */
export interface LoadedPlugins {
  readonly types: Readonly<Record<string, ConnectorType>>;
  /** True if a plugin could not be loaded, so that types are missing. */
  readonly failed: boolean;
}

/** Connector types by name. */
type Table = Readonly<Record<string, ConnectorType>>;

/** What plugins are loaded with. */
export interface PluginOptions {
  readonly builtIn: Table;
  readonly importPlugin?: ImportPlugin | undefined;
  readonly report: Report;
}

/** How a module must end. */
const EXAMPLE = "end the module with export default { name: defineConnector({ … }) }";

/** A name for `type`. */
const NAME = /^[a-z][a-z0-9_-]*$/i;

/** Imports the plugins in their order. Reports everything that is wrong with them. */
export async function loadPlugins(
  plugins: readonly ListedPlugin[],
  { builtIn, importPlugin, report }: PluginOptions,
): Promise<LoadedPlugins> {
  const types: Record<string, ConnectorType> = {};
  const owners = new Map(Object.keys(builtIn).map((name) => [name, "Weir"]));
  const specifiers = new Set<string>();
  let failed = false;
  for (const { specifier, span, folder } of plugins) {
    const plugin = `the plugin ${JSON.stringify(specifier)}`;
    const refuse = (error: unknown): void => {
      const { code, message, hint } = asPluginError(error);
      report({ code, span, message: `${plugin} ${message}`, hint });
      failed = true;
    };
    try {
      if (specifiers.has(specifier)) throw new PluginError("plugin-conflict", "is listed twice");
      specifiers.add(specifier);
      const exports = await exportsOf(specifier, folder, importPlugin);
      for (const [name, type] of Object.entries(tableOf(exports))) {
        const problem = problemOf(name, type, owners.get(name));
        if (problem !== undefined) {
          refuse(problem);
          continue;
        }
        owners.set(name, plugin);
        types[name] = type;
      }
    } catch (error) {
      refuse(error);
    }
  }
  return { types, failed };
}

function exportsOf(
  specifier: string,
  folder: string,
  importPlugin: ImportPlugin | undefined,
): unknown {
  if (importPlugin !== undefined) return importPlugin(specifier, folder);
  throw new PluginError(
    "plugin-unsupported",
    "cannot be imported: loadConfig has no importPlugin option",
    {
      hint: "use the functions of @weir/runtime/deno, /bun or /node, " +
        "or pass the connector types as the option connectors",
    },
  );
}

/** What an importer throws may be anything. */
function asPluginError(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  return new PluginError("plugin-failed", `cannot be imported: ${messageOf(error)}`);
}

/** The default export of a module. */
function tableOf(exports: unknown): Table {
  const table = defaultOf(exports);
  if (table === undefined) throw new PluginError("plugin-export", "has no default export", HINT);
  if (typeof table !== "object" || table === null || Array.isArray(table)) {
    throw new PluginError("plugin-export", "has a default export that is not an object", HINT);
  }
  if ("create" in table && typeof table.create === "function") {
    const message = "exports one connector type without a name";
    throw new PluginError("plugin-export", message, HINT);
  }
  if (Object.keys(table).length === 0) {
    throw new PluginError("plugin-export", "defines no connector type", HINT);
  }
  return table as Table;
}

/** What TypeScript compiles to CommonJS has its default export inside of the one that Node sees. */
function defaultOf(exports: unknown): unknown {
  const { default: outer } = (exports ?? {}) as { readonly default?: unknown };
  const { __esModule, default: inner } = (outer ?? {}) as Record<string, unknown>;
  return __esModule === true ? inner : outer;
}

const HINT = { hint: EXAMPLE };

const FIELD = "must be made with attribute(), block() or a similar function";

const isField = (value: unknown): boolean => {
  const { kind, about, read } = (value ?? {}) as Record<string, unknown>;
  return typeof kind === "string" && typeof about === "string" && typeof read === "function";
};

const fields = v.record(v.string(), v.custom(isField, FIELD), "must be an object of fields");
const method = v.optional(v.function("must be a function"));
const destination = v.optional(
  v.looseObject({ fields, check: method, creates: method }, "must be an object"),
);

/** What the rest of Weir calls. TypeScript has checked more, but a plugin may be JavaScript. */
const connectorType = v.looseObject({
  fields,
  create: v.function("must be a function"),
  check: method,
  checkUsage: method,
  address: method,
  listener: method,
  test: method,
  unshared: method,
  linkedBy: method,
  files: method,
  backplane: v.optional(
    v.looseObject(
      {
        keeps: v.function("must be a function"),
        create: v.function("must be a function"),
        unable: method,
      },
      "must be an object",
    ),
  ),
  rules: v.optional(
    v.looseObject(
      { block: v.string("must be text"), condition: v.string("must be text") },
      "must be an object",
    ),
  ),
  source: v.optional(
    v.looseObject(
      {
        check: method,
        everyInstance: method,
        needsToken: method,
        verifies: method,
        streams: method,
        receives: method,
        receivesFrom: method,
        internal: method,
      },
      "must be an object",
    ),
  ),
  destination,
  step: destination,
}, "must be an object");

/** What is wrong with one entry of a table; `owner` defines a type of its name already. */
function problemOf(
  name: string,
  type: unknown,
  owner: string | undefined,
): PluginError | undefined {
  if (!NAME.test(name)) {
    const message = `defines the connector type ${JSON.stringify(name)}, which cannot be a name`;
    const hint = "a name begins with a letter; letters, digits, _ and - follow";
    return new PluginError("plugin-export", message, { hint });
  }
  const result = v.safeParse(connectorType, type);
  if (!result.success) {
    const [issue] = result.issues;
    const missing = issue.received === "undefined" ? "is missing" : issue.message;
    const why = `${v.getDotPath(issue) ?? "it"} ${missing}`;
    const message = `exports "${name}", which is not a connector type: ${why}`;
    return new PluginError("plugin-export", message, { hint: "make it with defineConnector" });
  }
  if (owner === undefined) return undefined;
  const message = `defines the connector type "${name}", which ${owner} defines, too`;
  return new PluginError("plugin-conflict", message, { hint: "rename one of the two" });
}
