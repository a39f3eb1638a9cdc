/** Finds the connector that a call of the program is for. */
import { ConnectorError } from "../base/errors.ts";
import type { ConnectorModel } from "../model/mod.ts";

/** Selects a connector. */
export interface ConnectorChoice {
  /** The name of a connector. Required if several connectors support the operation. */
  readonly connector?: string;
}

/**
 * The name of the connector that was chosen, or of the only one that supports the method.
 *
 * @throws {ConnectorError} No connector or more than one supports it.
 */
export function chosen(
  method: string,
  connectors: Iterable<ConnectorModel>,
  supports: (connector: ConnectorModel) => boolean,
  { connector: name }: ConnectorChoice,
): string {
  const able = [...connectors].filter(supports);
  const [model, ...more] = name === undefined
    ? able
    : able.filter((candidate) => candidate.name === name);
  if (model !== undefined && more.length === 0) return model.name;
  const names = able.map((candidate) => candidate.name).join(", ");
  throw new ConnectorError(name ?? "", refusal(method, name, names), { permanent: true });
}

/** Why a connector cannot be selected. `able` has the names of those that support the operation. */
function refusal(method: string, name: string | undefined, able: string): string {
  if (able === "") return `${method}: the configuration has no connector that can do this`;
  return name === undefined
    ? `${method}: several connectors can do this; choose one of ${able}`
    : `cannot ${method}; connectors that can: ${able}`;
}
