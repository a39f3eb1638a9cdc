/** What answered for the services of a configuration in its tests, as text and as JSON. */
import type { Played } from "../contract/connector.ts";

/** What answered for the service of one connector. */
export interface Player extends Played {
  /** The connector's name. */
  readonly connector: string;
}

/** What answered in all tests of a run. A connector is listed once for each that did. */
export class Players {
  readonly #all = new Map<string, Player>();

  /** Takes note of one. */
  add(connector: string, played: Played): void {
    // JSON, since any plain separator might be part of a name.
    const key = JSON.stringify([connector, played.by]);
    if (!this.#all.has(key)) this.#all.set(key, { connector, ...played });
  }

  /** In the order in which they were first noted. */
  get all(): readonly Player[] {
    return [...this.#all.values()];
  }
}

/** A line for each, such as `db (PostgreSQL): played by SQLite in memory`. */
export function formatPlayers(players: readonly Player[]): readonly string[] {
  return players.map(({ connector, service, by, reason }) => {
    const since = reason === undefined ? "" : `, since ${reason}`;
    const how = by === "real" ? by : by === "mocks" ? "mocks alone" : `played by ${by}`;
    return `${connector} (${service}): ${how}${since}`;
  });
}
