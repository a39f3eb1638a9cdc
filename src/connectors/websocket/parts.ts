/** What the parts of one `websocket` connector share: the hub makes it, every part reads it. */
import { TrustedProxies } from "../../access/proxies.ts";
import { type Clock, endOfTick } from "../../base/clock.ts";
import { randomId } from "../../base/ids.ts";
import type { ConnectorCluster } from "../../contract/cluster.ts";
import type { ConnectorContext, Logger } from "../../contract/connector.ts";
import type { RelayObserver } from "../../contract/request-observer.ts";
import type { Authenticator } from "../../access/auth/authenticator.ts";
import type { StateSources } from "./client.ts";
import { Arrivals } from "./arrivals.ts";
import { Counters } from "./counters.ts";
import { Departures } from "./departures.ts";
import { Interest } from "./instances/interest.ts";
import type { WebSocketOptions } from "./options.ts";
import { Flusher } from "./outbox.ts";
import { BURST } from "./patience.ts";
import { CONTROL_TYPES, RESERVED_TYPES } from "./protocol.ts";
import { Registry } from "./registry.ts";
import { RoomFeatures } from "./room-feature.ts";
import { RoomRules } from "./rooms/rules.ts";
import { slowClientOptions } from "./slow-client/fields.ts";
import { Outboxes } from "./slow-client/outboxes.ts";
import { Slots } from "./slots.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Traffic } from "./traffic.ts";
import { TimerWheel } from "./timer-wheel.ts";

/** The shared parts of one connector. */
export interface Shared {
  /** The connector's name. */
  readonly name: string;
  readonly options: WebSocketOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Makes the references of errors. */
  readonly newId: () => string;
  /** Make the states of clients. */
  readonly stateSources: StateSources;
  /** Undefined where clients need no token. */
  readonly authenticator: Authenticator | undefined;
  /** Undefined where no header is believed. */
  readonly proxies: TrustedProxies | undefined;
  readonly counters: Counters;
  /** The frames of clients. */
  readonly arrivals: Arrivals;
  /** The ends of connections. */
  readonly departures: Departures;
  /** The frames to clients. */
  readonly traffic: Traffic;
  /** The slots of `max_connections`, which all workers have together. */
  readonly slots: Slots;
  /** Makes outboxes and messages; `limit` is the size that a frame may have. */
  readonly outboxes: Outboxes;
  /** Runs the heartbeats. */
  readonly wheel: TimerWheel;
  /** Decides which clients may join which rooms. */
  readonly rules: RoomRules;
  readonly flows: Subscriptions;
  /** The open connections. */
  readonly registry: Registry;
  /** What the configuration asks of rooms beside their messages. */
  readonly features: RoomFeatures;
  /** What it wants to hear of the other instances; undefined where there can be none. */
  readonly interest: Interest | undefined;
  /** Watches what it does for requests of other instances; undefined where nothing traces. */
  readonly relayed: RelayObserver | undefined;
}

/** Makes the shared parts. Pass an `authenticator` where the options have `auth`. */
export function createShared(
  options: WebSocketOptions,
  context: ConnectorContext,
  authenticator: Authenticator | undefined,
): Shared {
  const { name, logger, clock, newId = randomId, cluster, instances, relayed } = context;
  const counters = new Counters();
  const traffic = new Traffic();
  const flusher = new Flusher(endOfTick, (cluster ?? instances) && BURST, traffic);
  const interest = instances && new Interest(instances);
  const features = new RoomFeatures();
  const flows = new Subscriptions();
  const isServed = (type: string) =>
    CONTROL_TYPES.has(type) || features.serving(type) !== undefined ||
    (!RESERVED_TYPES.has(type) && flows.of(type) !== undefined);
  // The id of a client tells where it is.
  const newClientId = instances === undefined ? newId : () => `${instances.id}-${newId()}`;
  return {
    name,
    options,
    logger,
    clock,
    newId,
    stateSources: { clock, newId: newClientId },
    authenticator,
    proxies: options.trust_proxy && new TrustedProxies(options.trust_proxy, logger),
    counters,
    arrivals: new Arrivals(isServed),
    departures: new Departures(counters),
    traffic,
    slots: slotsOf(options, cluster),
    outboxes: new Outboxes(slowClientOptions(options.slow_client), {
      name,
      flusher,
      counters,
      traffic,
      clock,
    }),
    wheel: new TimerWheel(options.ping_interval),
    rules: new RoomRules(options.room, context),
    flows,
    registry: new Registry(
      (group) => flusher.split(group),
      (room) => interest?.unlisten(room),
      (connection, room, isLost) => features.left(connection, room, isLost),
    ),
    features,
    interest,
    relayed,
  };
}

function slotsOf({ max_connections: max }: WebSocketOptions, cluster?: ConnectorCluster): Slots {
  if (max === undefined || cluster === undefined) return new Slots(max);
  return new Slots(max, {
    acquire: () => cluster.acquireSlot(max),
    release: () => cluster.releaseSlot(),
  });
}
