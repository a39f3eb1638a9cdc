/**
 * Tree → model: reads every block by its fields, resolves references between blocks, and reports all
 * problems and warnings.
 *
 * May import base/, contract/, expression/, hcl/, model/, mycel/ and type/.
 */
import type { ConnectorType, FileDependency } from "../contract/definition.ts";
import { ConfigError } from "../base/errors.ts";
import type { ConnectorModel, FlowModel, Model } from "../model/mod.ts";
import { nameBlocks, type NamedBlock } from "../contract/fields.ts";
import { refuseAdminPort } from "./admin.ts";
import { checkInstances, findBackplane, withInstances } from "./backplane.ts";
import {
  type ReadConnector,
  readConnector,
  refuseSharedAddresses,
  requireOneTrust,
} from "./connector.ts";
import { BLOCKS, Declared } from "./declared.ts";
import { readFlow } from "./flow/mod.ts";
import { type HasFolder, requireFolders } from "./folders.ts";
import { hintOfBlock } from "./foreign.ts";
import { readTransforms } from "./flow/transform.ts";
import { readFiles, type ReadOptions, type ReadResult } from "../hcl/mod.ts";
import type { Loading } from "./loading.ts";
import type { ImportPlugin, ListedPlugin, LoadedPlugins, PluginOptions } from "./plugins.ts";
import type { Inspected } from "./inspection/mod.ts";
import { Problems } from "./problems.ts";
import { refuseSharedRoutes } from "./routes.ts";
import { readService } from "./service.ts";
import { readTests } from "./test/mod.ts";
import { type Block, type Body, hasFailed, type SourceFile } from "../hcl/tree.ts";
import { sourceOf, VariableRecorder } from "./source.ts";
import { readTypes } from "./types.ts";
import { Places } from "../contract/places.ts";
import type { PlacedExpression, PlacedFlow, PlacedRequest } from "./warnings/flow.ts";
import { warn } from "./warnings/mod.ts";

/** What a configuration is read with. */
export interface LoadFilesOptions extends ReadOptions {
  /** The built-in connectors that `type` can name. */
  readonly builtIn: Readonly<Record<string, ConnectorType>>;
  /** Those of the caller, which replace others of the same name. */
  readonly connectors: Readonly<Record<string, ConnectorType>>;
  /** Imports the module of a plugin; undefined if the caller cannot. */
  readonly importPlugin?: ImportPlugin | undefined;
  /** The time for expressions, in milliseconds since the epoch; the machine's own by default. */
  readonly now?: (() => number) | undefined;
  /** Fills bytes with random values, for expressions; those of `crypto` by default. */
  readonly randomBytes?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** Whether a program has the configuration inside of it, and may publish as its flows do. */
  readonly embedded: boolean;
  /** Whether there is a folder; where absent, no folder is looked for. */
  readonly hasFolder?: HasFolder | undefined;
  /** Whether connectors compare what is asked of them with the files that they name. */
  readonly inspect: boolean;
  /** Called with every file beside the configuration's own that a start would read. */
  readonly onFile?: ((file: FileDependency) => void) | undefined;
}

/**
 * Reads, checks and connects all files.
 *
 * @throws {ConfigError} With every problem of all files.
 */
export async function loadFiles(
  files: readonly SourceFile[],
  options: LoadFilesOptions,
): Promise<Model> {
  const problems = new Problems(files);
  const read = await readFiles(files, options, BLOCKS);
  try {
    return await problems.collect(() => connectFiles(read, options, problems));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { withMycelHints } = await import("../mycel/mod.ts");
    throw new ConfigError(withMycelHints(error.problems, read.body));
  }
}

async function connectFiles(
  read: ReadResult,
  options: LoadFilesOptions,
  problems: Problems,
): Promise<Model> {
  problems.add(read.problems);
  const { report } = problems;

  for (const { name, nameSpan } of read.body.attributes) {
    const message = `the attribute "${name}" is outside of all blocks`;
    report({ code: "unknown-attribute", span: nameSpan, message });
  }
  for (const { type, typeSpan } of read.body.blocks) {
    if (!BLOCKS.includes(type)) {
      const hint = hintOfBlock(type, BLOCKS, Object.keys(options.builtIn));
      report({
        code: "unknown-block",
        span: typeSpan,
        message: `there is no block "${type}"`,
        hint,
      });
    }
  }

  for (const { type, labels: [label] } of read.body.blocks) {
    if (type !== "constants" || label === undefined) continue;
    report({ code: "unexpected-label", span: label.span, message: "constants takes no label" });
  }

  const { now, randomBytes } = options;
  const variables = new VariableRecorder(options.env);
  const { env } = variables;
  const named = (kind: string): readonly NamedBlock[] =>
    nameBlocks(read.body.blocks.filter(({ type }) => type === kind), kind, "", report);
  const blocks = {
    connector: named("connector"),
    type: named("type"),
    transform: named("transform"),
    test: named("test"),
  };
  // What is declared but could not be read has been reported once, and that is enough.
  const declared = new Declared(read.body, read.recovered, read.opaque);

  const constants = read.moreConstants ? undefined : constantNames(read.body);
  const { service, options: written, plugins, morePlugins } = readService(read.body, {
    env,
    now,
    randomBytes,
    constants,
    declared,
    report,
  });
  const loaded = await loadTypes(plugins, { ...options, report });
  const types = { ...options.builtIn, ...loaded.types, ...options.connectors };
  const moreTypes = morePlugins || loaded.failed;
  const dataTypes = readTypes(blocks.type, {
    report,
    mayExist: (name) => declared.mayExist("type", name),
  });
  const surroundings = { types, moreTypes, env, now, randomBytes, constants, dataTypes, declared };
  const found = blocks.connector.map(([name, block]) =>
    readConnector(name, block, { ...surroundings, report })
  );
  refuseSharedAddresses(found, report);
  refuseAdminPort(written, found, report);
  requireOneTrust(found, report);
  const models = found.flatMap(({ name, model }) => model === undefined ? [] : [[name, model]]);
  const loading: Loading = {
    types,
    env,
    now,
    randomBytes,
    constants,
    connectors: new Map(models as [string, ConnectorModel][]),
    unsound: new Set(found.flatMap(({ name, sound }) => sound ? [] : [name])),
    dataTypes,
    transforms: readTransforms(blocks.transform, { env, now, randomBytes, constants, report }),
    declared,
    report,
  };
  const lookups = found.flatMap((connector) => readLookups(connector, loading));
  const placed: PlacedFlow[] = [];
  const flows = named("flow").flatMap(([name, block]): FlowModel[] => {
    const { flow, sound, expressions, requests } = readWithPlaces(name, block, loading);
    if (flow === undefined) return [];
    if (sound) {
      const places = new Places(block.body, block.headerSpan);
      placed.push({ model: flow, expressions, requests, places, blocks: block.body.blocks });
    }
    return [flow];
  });

  const soundConnectors = found.flatMap(({ model, sound, expressions }) =>
    model && sound ? [{ model, expressions }] : []
  );
  const soundByName = new Map(soundConnectors.map(({ model }) => [model.name, model]));
  refuseSharedRoutes(placed.map(({ model }) => model), soundByName, report);
  const backplane = findBackplane(soundConnectors, { ...loading, service });
  if (backplane !== undefined) checkInstances(backplane, placed, soundConnectors, report);
  if (options.hasFolder !== undefined) {
    for (const { model } of soundConnectors) {
      await requireFolders(model, options.hasFolder, report);
    }
  }
  const planning = { constants: read.constants, connectors: soundByName, blocks: read.body.blocks };
  const wrong = options.inspect
    ? await inspect({
      ...planning,
      flows: placed,
      lookups,
      earlier: problems.sorted,
      add: (one) => problems.add([one]),
    })
    : undefined;
  const good = wrong === undefined ? placed : placed.filter((flow) => !wrong.has(flow));
  const complete = !options.embedded && !problems.hasErrors;
  const tests = readTests(blocks.test, { ...loading, env: options.env });
  warn(good, soundConnectors, {
    connectors: soundByName,
    backplane: backplane?.name,
    constants: read.constants,
    complete,
    tests: problems.hasErrors ? [] : tests,
    report,
  });
  for (const { model } of soundConnectors) {
    for (const file of model.definition.files?.(model.options) ?? []) options.onFile?.(file);
  }
  if (problems.hasErrors) throw new ConfigError(problems.sorted);
  const { connectors } = loading;
  return {
    service,
    connectors,
    flows: backplane === undefined ? flows : flows.map((flow) => withInstances(flow, connectors)),
    backplane: backplane?.name,
    constants: read.constants,
    tests,
    warnings: problems.sorted,
    source: sourceOf(
      read.body,
      connectors,
      variables.read,
      async () => (await import("./planned.ts")).planned(placed, lookups, planning),
    ),
  };
}

/** On demand, since only `weir check` does it. */
async function inspect(inspected: Inspected): Promise<ReadonlySet<PlacedFlow>> {
  const { inspectConnectors } = await import("./inspection/mod.ts");
  return await inspectConnectors(inspected);
}

/** On demand, since few configurations have plugins. */
async function loadTypes(
  plugins: readonly ListedPlugin[],
  options: PluginOptions,
): Promise<LoadedPlugins> {
  if (plugins.length === 0) return { types: {}, failed: false };
  const { loadPlugins } = await import("./plugins.ts");
  return await loadPlugins(plugins, options);
}

/** Reads the look-ups of a connector; returns them, or none if they have errors. */
function readLookups({ lookups }: ReadConnector, loading: Loading): readonly PlacedRequest[] {
  const requests: PlacedRequest[] = [];
  let sound = true;
  lookups.read({
    ...loading,
    report(problem) {
      if (problem.severity !== "warning") sound = false;
      loading.report(problem);
    },
    onRequest: (request) => void requests.push(request),
  });
  return sound ? requests : [];
}

/** Reads a flow; returns the places of its expressions and whether it has errors. */
function readWithPlaces(name: string, block: Block, loading: Loading) {
  const expressions: PlacedExpression[] = [];
  const requests: PlacedRequest[] = [];
  let sound = !hasFailed(block.body);
  const flow = readFlow(name, block, {
    ...loading,
    report(problem) {
      if (problem.severity !== "warning") sound = false;
      loading.report(problem);
    },
    onExpression: (_flow, expression, span) => void expressions.push({ expression, span }),
    onRequest: (request) => void requests.push(request),
  });
  return { flow, sound, expressions, requests };
}

function constantNames({ blocks }: Body): readonly string[] {
  return blocks.filter(({ type }) => type === "constants")
    .flatMap(({ body }) => body.attributes.map(({ name }) => name));
}
