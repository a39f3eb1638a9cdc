/** Warns of what a connector declares and no flow uses. */
import { reportAll } from "../loading.ts";
import {
  constantTarget,
  named,
  type PlacedConnector,
  type PlacedFlow,
  requestsOf,
  type Surroundings,
} from "./flow.ts";

/** Lets the connector's type say what of its block is of no use to these flows. */
export function warnOfUnused(
  { model, block }: PlacedConnector,
  flows: readonly PlacedFlow[],
  { constants, report }: Surroundings,
): void {
  const requests = flows.flatMap(requestsOf)
    .filter(({ request }) => request.connector === model.name)
    .map(({ request }) => ({
      operation: request.operation,
      target: constantTarget(request, constants),
    }));
  const paths = new Set(
    flows.flatMap(({ expressions }) => expressions)
      .flatMap(({ expression }) => [...expression.paths]),
  );
  const problems = model.definition.checkUsage?.({ requests, paths }, model.options) ?? [];
  const warnings = problems.map((one) => ({ ...one, severity: "warning" as const }));
  reportAll(warnings, block, named(model), report);
}
