/** Warnings: a configuration that can run, but probably not as intended. */
import type { TestModel } from "../../model/test.ts";
import { warnOfFields } from "./fields.ts";
import type { PlacedConnector, PlacedFlow, Surroundings } from "./flow.ts";
import { warnOfClaims, warnOfClaimsInRules } from "./identity.ts";
import { warnOfEveryInstance } from "./instances.ts";
import { warnOfLengths } from "./lengths.ts";
import { warnOfLoops } from "./loops.ts";
import { warnOfMycel } from "./mycel.ts";
import { warnOfNames } from "./names.ts";
import { warnOfResponse, warnOfTransform } from "./payload.ts";
import { warnOfRequests } from "./requests.ts";
import { warnOfTargets } from "./targets.ts";
import { warnOfTransactions } from "./transactions.ts";
import { warnOfUntested } from "./tested.ts";
import { warnOfUnpublished, warnOfUnused } from "./unused.ts";

/** What flows are looked at with. */
export interface WarningOptions extends Surroundings {
  /**
   * True where the flows are all that ever publishes: every file could be read, no flow has errors,
   * and no program has the configuration inside of it.
   */
  readonly complete: boolean;
  /** Those of the configuration; none where some could not be read. */
  readonly tests: readonly TestModel[];
}

/** Reports the warnings of flows and connectors that have no errors. */
export function warn(
  flows: readonly PlacedFlow[],
  connectors: readonly PlacedConnector[],
  options: WarningOptions,
): void {
  for (const connector of connectors) warnOfClaimsInRules(connector, options);
  for (const flow of flows) {
    warnOfClaims(flow, options);
    warnOfEveryInstance(flow, options);
    warnOfFields(flow, options);
    warnOfLengths(flow, options);
    warnOfNames(flow, options);
    warnOfRequests(flow, options);
    warnOfTargets(flow, options);
    warnOfTransactions(flow, options);
    warnOfTransform(flow, options);
    warnOfResponse(flow, options);
    warnOfMycel(flow, options);
  }
  warnOfLoops(flows, options);
  if (!options.complete) return;
  warnOfUnpublished(flows, options);
  warnOfUntested(flows, options.tests, options);
  for (const connector of connectors) warnOfUnused(connector, flows, options);
}
