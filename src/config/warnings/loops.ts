/** Warns of flows that start themselves again without end. */
import type { ConnectorModel } from "../../model/mod.ts";
import { constantTarget, type PlacedFlow, type PlacedRequest, type Surroundings } from "./flow.ts";

/** A request that nothing holds back, and the flows that its event starts. */
interface Publication {
  readonly place: PlacedRequest;
  readonly target: string;
  readonly starts: readonly PlacedFlow[];
}

/**
 * Warns of every request whose event comes back to its own flow, directly or through others. Where
 * a condition on the way can end it, or the event decides the target, it says nothing. A way round
 * is reported once, where it is found first.
 */
export function warnOfLoops(flows: readonly PlacedFlow[], surroundings: Surroundings): void {
  const startedBy = starters(flows, surroundings);
  const publications = new Map(
    flows.map((flow) => [flow, publicationsOf(flow, startedBy, surroundings)]),
  );
  const told = new Set<string>();
  for (const [flow, own] of publications) {
    for (const { place, target, starts } of own) {
      const way = wayBack(flow, starts, publications);
      if (way === undefined) continue;
      const names = way.map(({ model }) => model.name);
      const circle = [...names].sort().join("\n");
      // From another flow of a circle it is the same one; a second publication of a flow is not.
      if (told.has(circle) && names.length > 1) continue;
      told.add(circle);
      const chain = [...names, names[0]].join(" → ");
      const message = `${place.subject}: what it publishes starts its own flow again: ${chain}`;
      const hint = target === "" ? "" : `, or another target than "${target}",`;
      surroundings.report({
        code: "flow-loop",
        span: place.places.of("target"),
        message,
        hint: `a filter${hint} ends it`,
        severity: "warning",
      });
    }
  }
}

/** The shortest way from a flow over what it starts back to it; undefined where there is none. */
function wayBack(
  flow: PlacedFlow,
  starts: readonly PlacedFlow[],
  publications: ReadonlyMap<PlacedFlow, readonly Publication[]>,
): readonly PlacedFlow[] | undefined {
  /** The flow that was the first to start another. */
  const starter = new Map<PlacedFlow, PlacedFlow>();
  const walked = new Set<readonly PlacedFlow[]>();
  const reached: PlacedFlow[] = [];
  const walk = (from: PlacedFlow, found: readonly PlacedFlow[]): void => {
    // Flows that publish to one target share the list of what that starts.
    if (walked.has(found)) return;
    walked.add(found);
    for (const next of found) {
      if (starter.has(next)) continue;
      starter.set(next, from);
      reached.push(next);
    }
  };
  walk(flow, starts);
  for (const last of reached) {
    if (last === flow) break;
    for (const publication of publications.get(last) ?? []) walk(last, publication.starts);
  }
  if (!starter.has(flow)) return undefined;
  const way: PlacedFlow[] = [];
  for (let at = starter.get(flow); at !== undefined && at !== flow; at = starter.get(at)) {
    way.push(at);
  }
  return [flow, ...way.reverse()];
}

/** Returns the flows that start when an operation is written to a target. */
type StartedBy = (
  connector: ConnectorModel,
  target: string,
  written: string | undefined,
) => readonly PlacedFlow[];

/** Looks at the flows of connectors that get the event alone, and once for each target and operation. */
function starters(
  flows: readonly PlacedFlow[],
  { connectors }: Pick<Surroundings, "connectors">,
): StartedBy {
  const bySource = Map.groupBy(
    flows,
    ({ model: { source } }) => source.kind === "connector" ? source.connector : undefined,
  );
  const known = new Map<string, readonly PlacedFlow[]>();
  return ({ name, definition, options }, target, written) => {
    const key = JSON.stringify([name, target, written]);
    const { receives, receivesFrom } = definition.source ?? {};
    const own = (operation: string | undefined) =>
      receives?.(operation, target, options, written) === true;
    const flowsOf = (connector: string, starts: (operation: string | undefined) => boolean) =>
      (bySource.get(connector) ?? []).filter(({ model: { source } }) =>
        source.kind === "connector" && starts(source.operation)
      );
    const others = receivesFrom === undefined ? [] : [...connectors.values()]
      .filter((other) => other.name !== name && other.definition === definition);
    const found = known.get(key) ?? [
      ...flowsOf(name, own),
      ...others.flatMap((other) =>
        flowsOf(
          other.name,
          (operation) => receivesFrom?.(operation, target, other.options, options) === true,
        )
      ),
    ];
    known.set(key, found);
    return found;
  };
}

function publicationsOf(
  flow: PlacedFlow,
  startedBy: StartedBy,
  { connectors, constants }: Surroundings,
): readonly Publication[] {
  const { source, accept, rejects, dedupe } = flow.model;
  // Each of them can let an event pass that has come round.
  if (source.kind === "connector" && source.filter !== undefined) return [];
  if (accept !== undefined || dedupe !== undefined) return [];
  // The `reject` blocks among the destinations come after some of them.
  const first = rejects[0]?.delivered ?? Infinity;
  let delivered = 0;
  return flow.requests.flatMap((place): Publication[] => {
    const { kind, request } = place;
    if (kind === "to") delivered++;
    if (first === 0 || delivered > first || (kind === "fallback" && first < Infinity)) return [];
    const target = constantTarget(request, constants);
    const connector = connectors.get(request.connector);
    // A list that is empty ends a loop, too.
    if (request.when !== undefined || request.each !== undefined) return [];
    if (target === undefined || connector === undefined) return [];
    return [{ place, target, starts: startedBy(connector, target, request.operation) }];
  });
}
