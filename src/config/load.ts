/** Files → model: reads every block by its schema and connects the names. */
import type { ConnectorType } from "../connector.ts";
import { ConfigError, type Problem } from "../errors.ts";
import type { ConnectorModel, FlowModel, Model } from "../model.ts";
import { didYouMean } from "../nearest.ts";
import { readConnector, refuseSharedAddresses } from "./connector.ts";
import { readFlow } from "./flow.ts";
import { readFiles, type ReadOptions } from "./hcl.ts";
import type { Loading } from "./loading.ts";
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
  const named = (kind: string): [string, Block][] => nameBlocks(read.body.blocks, kind, report);
  const found = named("connector").map(([name, block]) =>
    readConnector(name, block, { types, env, report })
  );
  refuseSharedAddresses(found, report);
  const models = found.flatMap(({ name, model }) => model === undefined ? [] : [[name, model]]);
  const connectors = new Map(models as [string, ConnectorModel][]);

  const loading: Loading = {
    types,
    env,
    connectors,
    // A connector whose type is unknown has been reported once, and that is enough.
    mayExist: (name) =>
      found.some((connector) => connector.name === name) ||
      read.recovered.some(({ type, labels }) => type === "connector" && labels[0] === name),
    report,
  };
  const flows = named("flow").flatMap(([name, block]): FlowModel[] => {
    const flow = readFlow(name, block, loading);
    return flow === undefined ? [] : [flow];
  });

  if (problems.length > 0) {
    throw new ConfigError(sortProblems(problems, files.map((file) => file.path)));
  }
  return { connectors, flows, constants: read.constants };
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
