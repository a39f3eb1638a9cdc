/** What the parts of one `websocket` connector share: the hub makes it, every part reads it. */
import { TrustedProxies } from "../../access/proxies.ts";
import { type Clock, endOfTick } from "../../base/clock.ts";
import { randomId } from "../../base/ids.ts";
import type { ConnectorCluster } from "../../contract/cluster.ts";
import type { ConnectorContext, Logger } from "../../contract/connector.ts";
import type { Authenticator } from "../../access/auth/authenticator.ts";
import { Counters } from "./counters.ts";
import type { WebSocketOptions } from "./options.ts";
import { Flusher, type Patience } from "./outbox.ts";
import { Registry } from "./registry.ts";
import { RoomRules } from "./rooms/rules.ts";
import { slowClientOptions } from "./slow-client/fields.ts";
import { Outboxes } from "./slow-client/outboxes.ts";
import { Slots } from "./slots.ts";
import { Subscriptions } from "./subscriptions.ts";
import { TimerWheel } from "./timer-wheel.ts";

/**
 * A worker of several is never busy for as long as a burst takes to arrive: without this wait it
 * would send the first messages of a burst alone.
 */
const BURST: Patience = { quiet: 4, max: 32 };

/** The shared parts of one connector. */
export interface Shared {
  /** The connector's name. */
  readonly name: string;
  readonly options: WebSocketOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Makes the ids of clients and the references of errors. */
  readonly newId: () => string;
  /** Undefined where clients need no token. */
  readonly authenticator: Authenticator | undefined;
  /** Undefined where no header is believed. */
  readonly proxies: TrustedProxies | undefined;
  readonly counters: Counters;
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
}

/** Makes the shared parts. Pass an `authenticator` where the options have `auth`. */
export function createShared(
  options: WebSocketOptions,
  context: ConnectorContext,
  authenticator: Authenticator | undefined,
): Shared {
  const { name, logger, clock, newId = randomId, cluster } = context;
  const counters = new Counters();
  const flusher = new Flusher(endOfTick, cluster && BURST);
  return {
    name,
    options,
    logger,
    clock,
    newId,
    authenticator,
    proxies: options.trust_proxy && new TrustedProxies(options.trust_proxy, logger),
    counters,
    slots: slotsOf(options, cluster),
    outboxes: new Outboxes(slowClientOptions(options.slow_client), {
      name,
      flusher,
      counters,
      clock,
    }),
    wheel: new TimerWheel(options.ping_interval),
    rules: new RoomRules(options.room, context),
    flows: new Subscriptions(),
    registry: new Registry((group) => flusher.split(group)),
  };
}

function slotsOf({ max_connections: max }: WebSocketOptions, cluster?: ConnectorCluster): Slots {
  if (max === undefined || cluster === undefined) return new Slots(max);
  return new Slots(max, {
    acquire: () => cluster.acquireSlot(max),
    release: () => cluster.releaseSlot(),
  });
}
