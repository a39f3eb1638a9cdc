/** `weir check --connect`: whether databases and brokers are there, without changing anything. */
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../base/clock.ts";
import { ConnectorError } from "../base/errors.ts";
import type { ConnectorModel, Model } from "../model/mod.ts";

/** What trying one connector has come to. */
export interface Trial {
  /** The connector's name. */
  readonly connector: string;
  /** What it found, in words; undefined where it failed. */
  readonly found?: string;
  /** Why it failed, a sentence that names the connector. */
  readonly error?: string;
}

/** Tries every connector that has something to connect to, all at once; never fails itself. */
export async function tryConnectors({ connectors, constants }: Model): Promise<readonly Trial[]> {
  const trials = await Promise.all(
    [...connectors.values()].map((connector) => tryConnector(connector, constants)),
  );
  return trials.filter((trial) => trial !== undefined);
}

async function tryConnector(
  { name, definition, options }: ConnectorModel,
  constants: Model["constants"],
): Promise<Trial | undefined> {
  const logger = getLogger(["weir", name]);
  const context = { name, logger, clock: systemClock, constants, lookUp: refuseToLookUp };
  try {
    const connector = await definition.create(options, context);
    if (connector.probe === undefined) return undefined;
    return { connector: name, found: await connector.probe() };
  } catch (error) {
    // A foreign connector may throw whatever its library throws.
    const { message } = error instanceof ConnectorError
      ? error
      : new ConnectorError(name, error instanceof Error ? error.message : String(error));
    return { connector: name, error: message };
  }
}

/** Nothing has been started that could be asked. */
function refuseToLookUp(): never {
  throw new Error("nothing is looked up while connectors are tried");
}
