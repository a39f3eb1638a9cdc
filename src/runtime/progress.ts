/** What the log says of a start or a shutdown that takes long. */
import { getLogger } from "@logtape/logtape";
import { Waiting } from "../base/waiting.ts";
import type { Connector } from "../contract/connector.ts";

/** When a start says what it waits for, in milliseconds. */
const START_TIMES = { after: 2_000, every: 10_000 };
/** When a shutdown says what is left, in milliseconds. */
const SHUTDOWN_TIMES = { after: 1_000, every: 1_000 };

/** What a start waits for beside connectors. */
export const OTHER_INSTANCES = Symbol("the other instances");

/** What is at work in a service at the moment. */
export interface Work {
  /** The number of runs of flows. */
  readonly flows: number;
  /** The number of connected clients. */
  readonly clients: number;
}

/** Says after two seconds for which connectors a start waits. */
export function watchStart(
  connectors: ReadonlyMap<string, Connector>,
): Waiting<string | typeof OTHER_INSTANCES> {
  const logger = getLogger(["weir"]);
  return new Waiting(START_TIMES, (pending) => {
    for (const connector of pending) {
      if (connector === OTHER_INSTANCES) {
        logger.info("the start waits for the other instances of the service");
        continue;
      }
      const reason = connectors.get(connector)?.health?.();
      if (reason === undefined) {
        logger.info("the start waits for connector {connector}", { connector });
      } else {
        logger.info("the start waits for connector {connector}: {reason}", { connector, reason });
      }
    }
  });
}

/** Says once a second what a shutdown waits for. */
export function watchShutdown(work: () => Work): Waiting<string> {
  return new Waiting(SHUTDOWN_TIMES, (pending) => {
    const { flows, clients } = work();
    const logger = getLogger(["weir"]);
    if (flows > 0 || clients > 0) {
      const message = "shutting down; flows in flight: {flows}, clients: {clients}";
      return logger.info(message, { flows, clients });
    }
    const connectors = pending.join(", ");
    if (connectors === "") return;
    logger.info("shutting down; not closed yet: {connectors}", { connectors });
  });
}

/** The connected clients, from the counters of connectors. */
export function clientsOf(
  counts: Iterable<Readonly<Record<string, number>>>,
): number {
  return [...counts].reduce((sum, { connections = 0 }) => sum + connections, 0);
}
