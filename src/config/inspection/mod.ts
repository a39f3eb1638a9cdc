/** `weir check` compares what flows ask of connectors with the files that the connectors name. */
import type { Problem } from "../../base/problem.ts";
import type { FileProblem, TextFile } from "../../contract/probe.ts";
import { placesOf } from "../../contract/places.ts";
import { problemAt, type SourceFile } from "../../hcl/tree.ts";
import type { ConnectorModel } from "../../model/mod.ts";
import { reportAll } from "../loading.ts";
import { type PlanOptions, planRequest, planSource } from "../planned.ts";
import { named, type PlacedFlow, type PlacedRequest } from "../warnings/flow.ts";
import { besideFile } from "./places.ts";

/** What is inspected: blocks without errors. */
export interface Inspected extends PlanOptions {
  readonly flows: readonly PlacedFlow[];
  /** What connectors look up outside of flows. */
  readonly lookups: readonly PlacedRequest[];
  /** What has been reported. */
  readonly earlier: readonly Problem[];
  /** Takes a problem. Of several at one place, which have one cause, it gets the first. */
  readonly add: (problem: Problem) => void;
}

/** Has the connectors report what can never work. Returns the flows that have such problems. */
export async function inspectConnectors(inspected: Inspected): Promise<ReadonlySet<PlacedFlow>> {
  const { connectors, earlier, add } = inspected;
  const wrong = new Set<PlacedFlow>();
  const known = new Set(earlier.filter(({ severity }) => severity === "error").map(placeOf));
  const take = (problem: Problem, flow?: PlacedFlow) => {
    if (flow !== undefined && problem.severity === "error") wrong.add(flow);
    const place = placeOf(problem);
    if (known.has(place)) return;
    known.add(place);
    add(problem);
  };
  for (const connector of connectors.values()) await inspect(connector, inspected, take);
  return wrong;
}

function placeOf({ file, line, column }: Problem): string {
  return JSON.stringify([file, line, column]);
}

async function inspect(
  connector: ConnectorModel,
  inspected: Inspected,
  take: (problem: Problem, flow?: PlacedFlow) => void,
): Promise<void> {
  const { definition, options, name } = connector;
  if (definition.inspect === undefined) return;
  const { flows, lookups } = inspected;
  const places = placesOf(options as object);
  const asked = [
    ...lookups.map((request) => ({ request, flow: undefined })),
    ...flows.flatMap((flow) => flow.requests.map((request) => ({ request, flow }))),
  ].filter(({ request }) => request.request.connector === name);
  await definition.inspect(options, {
    name,
    requests: asked.map(({ request, flow }) => {
      const { problem, connector: _, ...planned } = planRequest(request, flow, inspected);
      return { ...planned, report: (found) => take(problem(found), flow) };
    }),
    sources: flows.flatMap((flow) => {
      const planned = planSource(flow, inspected.connectors);
      if (planned?.connector !== name) return [];
      const { operation, problem } = planned;
      return [{ operation, report: (found) => take(problem(found), flow) }];
    }),
    report: (found) =>
      reportAll([found], places, named(connector), (problem) => take(problemAt(problem))),
    reportIn: (file, found) => take(problemIn(file, found, places.header.file)),
  });
}

/** A problem of a file, whose path people see as that of the configuration's file. */
function problemIn(
  file: TextFile,
  { code, part, ...found }: FileProblem,
  from: SourceFile,
): Problem {
  const below = `${from.folder}/`;
  const path = file.path.startsWith(below)
    ? besideFile(from.path, file.path.slice(below.length))
    : file.path;
  const span = { file: { ...file, path, folder: "" }, ...part };
  return {
    ...problemAt({ ...found, code: "connector-rule", span }),
    code: code ?? "connector-rule",
  };
}
