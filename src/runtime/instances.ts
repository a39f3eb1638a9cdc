/** The instances of a service, as its runtime in one of them has them: over a backplane, or the workers. */
import { getLogger } from "@logtape/logtape";
import { type Clock, systemClock } from "../base/clock.ts";
import { createGroup, newInstanceId } from "../cluster/mod.ts";
import type { Backplane } from "../contract/backplane.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { Group, Instances } from "../contract/instances.ts";
import type { ConnectorModel, Model } from "../model/mod.ts";

/** A group that links the instances by a connector. */
export interface BackplaneGroup {
  /** The name of the connector. */
  readonly name: string;
  readonly group: Group;
  /** The names of the connectors that it links. */
  readonly linked: ReadonlySet<string>;
}

/** What links a runtime with others. */
export interface RuntimeGroups {
  /** Undefined for a service without a backplane. */
  readonly backplane: BackplaneGroup | undefined;
  /** Undefined for a service with one worker. */
  readonly workers: Group | undefined;
}

/** Makes the groups of a runtime. They connect when they are started. */
export async function createGroups(
  model: Model,
  { clock, cluster }: { readonly clock: Clock; readonly cluster: Cluster | undefined },
): Promise<RuntimeGroups> {
  const { instance: id, link } = cluster ?? {};
  const workers = id === undefined || link === undefined
    ? undefined
    : createGroup({ id, backplane: link, clock, logger: getLogger(["weir", "workers"]) });
  return { backplane: await createBackplane(model, clock, id ?? newInstanceId()), workers };
}

/** The instances as one connector sees them. */
export function instancesOf(
  name: string,
  { backplane, workers }: RuntimeGroups,
): Instances | undefined {
  const group = backplane?.linked.has(name) ? backplane.group : workers;
  return group?.connector(name);
}

/** All groups that there are. */
export function groupsOf({ backplane, workers }: RuntimeGroups): readonly Group[] {
  return [backplane?.group ?? [], workers ?? []].flat();
}

/** The numbers of what links a connector with other instances. */
export function countsOf(
  name: string,
  { backplane }: RuntimeGroups,
): Readonly<Record<string, number>> {
  return backplane?.linked.has(name) ? backplane.group.counts() : {};
}

/** Why the other instances cannot be reached, with the name of the connector; empty while all is well. */
export function troublesOf({ backplane }: RuntimeGroups): readonly [name: string, why: string][] {
  const reason = backplane?.group.health();
  return backplane === undefined || reason === undefined ? [] : [[backplane.name, reason]];
}

/**
 * Tries the rights that a service needs at its backplane, for `weir check --connect`. Returns what it
 * found, in a few words; undefined where nothing can be tried.
 *
 * @throws {ConnectorError} The broker is away, or refuses something.
 */
export async function probeBackplane(model: Model): Promise<string | undefined> {
  const made = await makeBackplane(model, systemClock, newInstanceId());
  if (made === undefined) return undefined;
  const { backplane, linked } = made;
  return await backplane.probe?.({
    keys: model.flows.some(({ dedupe }) => dedupe !== undefined && dedupe.store === undefined),
    history: linked.some(({ definition, options }) => {
      return (definition.remembers?.(options).labels ?? []).length > 0;
    }),
  });
}

async function createBackplane(
  model: Model,
  clock: Clock,
  id: string,
): Promise<BackplaneGroup | undefined> {
  const made = await makeBackplane(model, clock, id);
  if (made === undefined) return undefined;
  const { name, backplane, linked } = made;
  return {
    name,
    group: createGroup({ id, backplane, clock, logger: getLogger(["weir", name]) }),
    linked: new Set(linked.map(({ name }) => name)),
  };
}

/** The backplane of one instance, and the connectors that it links; undefined where none is named. */
async function makeBackplane(model: Model, clock: Clock, id: string): Promise<
  | {
    readonly name: string;
    readonly backplane: Backplane;
    readonly linked: readonly ConnectorModel[];
  }
  | undefined
> {
  const connector = model.backplane === undefined
    ? undefined
    : model.connectors.get(model.backplane);
  const type = connector?.definition.backplane;
  if (connector === undefined || type === undefined) return undefined;
  const { name, options } = connector;
  const logger = getLogger(["weir", name]);
  const service = model.service.name ?? "";
  const backplane = await type.create(options, { name, logger, clock, service, instance: id });
  const isLinked = ({ definition, options }: ConnectorModel) =>
    definition.linkedBy?.(options) === name;
  return { name, backplane, linked: [...model.connectors.values()].filter(isLinked) };
}
