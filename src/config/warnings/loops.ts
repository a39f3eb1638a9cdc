/** Warns of flows that start themselves again without end. */
import {
  constantTarget,
  type PlacedFlow,
  type PlacedRequest,
  placeOf,
  requestsOf,
  type Surroundings,
} from "./flow.ts";

/** A request that nothing holds back, and the flows that its event starts. */
interface Publication {
  readonly place: PlacedRequest;
  readonly target: string;
  readonly starts: readonly PlacedFlow[];
}

/**
 * Warns of every request whose event comes back to its own flow, directly or through others. Where
 * a condition on the way can end it, or the event decides the target, it says nothing. A way round
 * is told once, where it is met first.
 */
export function warnOfLoops(flows: readonly PlacedFlow[], surroundings: Surroundings): void {
  const publications = new Map(
    flows.map((flow) => [flow, publicationsOf(flow, flows, surroundings)]),
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
      surroundings.report(
        placeOf(place.block, "target"),
        message,
        `a filter${hint} ends it`,
        "warning",
      );
    }
  }
}

/** The shortest way from a flow over what it starts back to it; undefined where there is none. */
function wayBack(
  flow: PlacedFlow,
  starts: readonly PlacedFlow[],
  publications: ReadonlyMap<PlacedFlow, readonly Publication[]>,
): readonly PlacedFlow[] | undefined {
  const seen = new Set(starts);
  let ways = starts.map((next) => [flow, next]);
  while (ways.length > 0) {
    const closed = ways.find((way) => way.at(-1) === flow);
    if (closed !== undefined) return closed.slice(0, -1);
    ways = ways.flatMap((way) => {
      const last = way[way.length - 1];
      const next = (publications.get(last) ?? []).flatMap((publication) => publication.starts);
      const fresh = [...new Set(next)].filter((found) => !seen.has(found));
      for (const found of fresh) seen.add(found);
      return fresh.map((found) => [...way, found]);
    });
  }
  return undefined;
}

function publicationsOf(
  flow: PlacedFlow,
  flows: readonly PlacedFlow[],
  { connectors, constants }: Surroundings,
): readonly Publication[] {
  const { source, accept, dedupe } = flow.model;
  // Each of them can let an event pass that has come round.
  if (source.kind === "connector" && source.filter !== undefined) return [];
  if (accept !== undefined || dedupe !== undefined) return [];
  return requestsOf(flow).flatMap((place): Publication[] => {
    const { request } = place;
    const target = constantTarget(request, constants);
    const connector = connectors.get(request.connector);
    if (request.when !== undefined || target === undefined || connector === undefined) return [];
    const { definition, options } = connector;
    const starts = flows.filter(({ model: { source } }) =>
      source.kind === "connector" && source.connector === request.connector &&
      definition.source?.receives?.(source.operation, target, options) === true
    );
    return [{ place, target, starts }];
  });
}
