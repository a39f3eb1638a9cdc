/** `weir check --connect`: asks the service behind each connector. */
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../base/clock.ts";
import { ConnectorError } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import { messageOf } from "../base/shown.ts";
import type { BlockProblem } from "../contract/definition.ts";
import type { ProbeRequest, ProbeSource, RequestProblem } from "../contract/probe.ts";
import type { ConnectorModel, Model, PlannedRequest, PlannedSource } from "../model/mod.ts";
import { probeBackplane } from "../runtime/instances.ts";

/** The result of `--connect` for one connector. */
export interface ProbeResult {
  /** The connector's name. */
  readonly connector: string;
  /** What it found, in words; undefined if it failed. */
  readonly found?: string;
  /** The code of its error; undefined if it did not fail. */
  readonly code?: string;
  /** Why it failed, a sentence that names the connector. */
  readonly error?: string;
}

/** What all connectors found. */
export interface Probed {
  /** Those that connect to something. */
  readonly results: readonly ProbeResult[];
  /** What their services would refuse of the configuration's requests. */
  readonly problems: readonly Problem[];
}

/** Connects to every database and broker, all at once, without changing anything. Never rejects. */
export async function probeConnectors(model: Model): Promise<Probed> {
  const { connectors, source } = model;
  const problems: Problem[] = [];
  const planned = await source.planned();
  const results = await Promise.all(
    [...connectors.values()].map((connector) =>
      probe(connector, model, {
        requests: requestsTo(connector.name, planned.requests, problems),
        sources: sourcesIn(connector.name, planned.sources, problems),
      })
    ),
  );
  return { results: results.filter((result) => result !== undefined), problems };
}

function requestsTo(
  connector: string,
  planned: readonly PlannedRequest[],
  problems: Problem[],
): readonly ProbeRequest[] {
  return planned.filter((request) => request.connector === connector).map((request) => ({
    operation: request.operation,
    target: request.target,
    options: request.options,
    fields: request.fields,
    named: request.named,
    report: (found: RequestProblem) => void problems.push(request.problem(found)),
  }));
}

function sourcesIn(
  connector: string,
  planned: readonly PlannedSource[],
  problems: Problem[],
): readonly ProbeSource[] {
  return planned.filter((source) => source.connector === connector).map((source) => ({
    operation: source.operation,
    report: (found: BlockProblem) => void problems.push(source.problem(found)),
  }));
}

async function probe(
  { name, definition, options }: ConnectorModel,
  model: Model,
  { requests, sources }: {
    readonly requests: readonly ProbeRequest[];
    readonly sources: readonly ProbeSource[];
  },
): Promise<ProbeResult | undefined> {
  const logger = getLogger(["weir", name]);
  const lookUp = (): never => {
    throw new Error("connectors that have not been started cannot look anything up");
  };
  const context = { name, logger, clock: systemClock, constants: model.constants, lookUp };
  try {
    const connector = await definition.create(options, context);
    const found = [
      await connector.probe?.(requests, sources),
      model.backplane === name ? await probeBackplane(model) : undefined,
    ].filter((words) => words !== undefined);
    return found.length === 0 ? undefined : { connector: name, found: found.join("; ") };
  } catch (error) {
    // A foreign connector may throw the errors of its library.
    const { code, message } = error instanceof ConnectorError
      ? error
      : new ConnectorError(name, messageOf(error));
    return { connector: name, code, error: message };
  }
}
