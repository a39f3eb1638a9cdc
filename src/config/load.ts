/** Files → model: reads every block by its schema and connects the names. */
import type { ConnectorType } from "../connector.ts";
import { ConfigError, type Problem } from "../errors.ts";
import type { ConnectorModel, FlowModel, Model } from "../model.ts";
import { didYouMean } from "../nearest.ts";
import { type ReadContext, readFields } from "../schema.ts";
import { readFlow } from "./flow.ts";
import { readFiles, type ReadOptions } from "./hcl.ts";
import { complain, type Loading } from "./loading.ts";
import { type Block, problemAt, sortProblems, type SourceFile, type Span } from "./tree.ts";

/** What a configuration is read with. */
export interface LoadFilesOptions extends ReadOptions {
  /** The connectors that `type` can name. */
  readonly types: Readonly<Record<string, ConnectorType>>;
}

const BLOCKS: readonly string[] = ["connector", "constants", "flow"];

/**
 * Reads, checks and connects all files.
 *
 * @throws {ConfigError} With every problem of all files.
 */
export async function loadFiles(
  files: readonly SourceFile[],
  options: LoadFilesOptions,
): Promise<Model> {
  const read = await readFiles(files, options);
  const problems: Problem[] = [...read.problems];
  const report = (span: Span, message: string, hint?: string): void => {
    problems.push(problemAt(span, message, hint === undefined ? {} : { hint }));
  };

  for (const { name, nameSpan } of read.body.attributes) {
    report(nameSpan, `the attribute "${name}" stands outside of every block`);
  }
  for (const { type, typeSpan } of read.body.blocks) {
    if (!BLOCKS.includes(type)) {
      report(typeSpan, `there is no block "${type}"`, didYouMean(type, BLOCKS));
    }
  }

  for (const { type, labels: [label] } of read.body.blocks) {
    if (type === "constants" && label) report(label.span, "constants takes no label");
  }

  const { types, env } = options;
  const { recovered } = read;
  const named = (kind: string): [string, Block][] => nameBlocks(read.body.blocks, kind, report);
  const connectorBlocks = named("connector");
  /** The connectors whose options are what their types say. */
  const sound = new Set<string>();
  const connectors = new Map(
    connectorBlocks.map(([name, block]) => [name, readConnector(name, block)]),
  );
  refuseSharedAddresses();
  const usable = new Map<string, ConnectorModel>();
  for (const [name, model] of connectors) if (model !== undefined) usable.set(name, model);

  const loading: Loading = {
    types,
    env,
    connectors: usable,
    // A connector whose type is unknown has been reported once, and that is enough.
    mayExist: (name) =>
      connectors.has(name) ||
      recovered.some(({ type, labels }) => type === "connector" && labels[0] === name),
    report,
  };
  const flows = named("flow").flatMap(([name, block]): FlowModel[] => {
    const flow = readFlow(name, block, loading);
    return flow === undefined ? [] : [flow];
  });

  if (problems.length > 0) {
    throw new ConfigError(sortProblems(problems, files.map((file) => file.path)));
  }
  return { connectors: usable, flows, constants: read.constants };

  function refuseSharedAddresses(): void {
    const owners = new Map<string, string>();
    for (const [name, block] of connectorBlocks) {
      const model = sound.has(name) ? connectors.get(name) : undefined;
      const address = model?.definition.address?.(model.options);
      if (address === undefined) continue;
      const owner = owners.get(address);
      owners.set(address, owner ?? name);
      if (owner === undefined) continue;
      report(block.headerSpan, `connectors "${owner}" and "${name}" both serve ${address}`);
    }
  }

  function readConnector(name: string, block: Block): ConnectorModel | undefined {
    const { body, headerSpan } = block;
    const typeAttribute = body.attributes.find((a) => a.name === "type");
    if (typeAttribute === undefined) {
      const hint = `one of ${Object.keys(types).join(", ")}`;
      report(headerSpan, `connector "${name}" needs the attribute "type"`, hint);
      return undefined;
    }
    const { value: type, valueSpan, failed } = typeAttribute;
    if (failed) return undefined;
    if (typeof type !== "string") {
      report(valueSpan, `connector "${name}": type must be text in quotes`);
      return undefined;
    }
    if (!Object.hasOwn(types, type)) {
      const hint = didYouMean(type, Object.keys(types)) ??
        `one of ${Object.keys(types).join(", ")}`;
      report(valueSpan, `connector "${name}": there is no connector type "${type}"`, hint);
      return undefined;
    }
    const definition = types[type];
    const subject = `connector "${name}" (${type})`;
    const before = problems.length;
    const attributes = body.attributes.filter((a) => a !== typeAttribute);
    const context: ReadContext = { subject, variables: ["constants"], env, report };
    const options = readFields({ ...body, attributes }, definition.fields, headerSpan, context);
    const good = problems.length === before && !attributes.some((a) => a.failed);
    if (good) {
      sound.add(name);
      complain(block, subject, definition.check?.(options) ?? [], report);
    }
    return { name, type, definition, options };
  }
}

/** The blocks of one kind by their single label; the first of several with one name. */
function nameBlocks(
  all: readonly Block[],
  kind: string,
  report: Loading["report"],
): [string, Block][] {
  const found = new Map<string, Block>();
  for (const block of all) {
    if (block.type !== kind) continue;
    const [label, ...more] = block.labels;
    if (label === undefined || label.text === "") {
      report(block.headerSpan, `a ${kind} needs a name`, `write it as ${kind} "name" { … }`);
      continue;
    }
    for (const { span } of more) report(span, `${kind} "${label.text}" has a second name`);
    const first = found.get(label.text);
    if (first === undefined) {
      found.set(label.text, block);
      continue;
    }
    const { file, line } = problemAt(first.headerSpan, "");
    const message = `there is a second ${kind} "${label.text}"`;
    report(block.headerSpan, message, `the first is at ${file}:${line}`);
  }
  return [...found];
}
