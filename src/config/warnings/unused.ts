/** Warns of what a connector declares and no flow uses. */
import { placesOf } from "../../contract/places.ts";
import { reportAll } from "../loading.ts";
import {
  constantTarget,
  named,
  type PlacedConnector,
  type PlacedFlow,
  type Surroundings,
} from "./flow.ts";

/** Lets the connector's type say what of its block is of no use to these flows. */
export function warnOfUnused(
  { model }: PlacedConnector,
  flows: readonly PlacedFlow[],
  { constants, report }: Surroundings,
): void {
  const requests = flows.flatMap((flow) => flow.requests)
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
  reportAll(warnings, placesOf(model.options as object), named(model), report);
}
