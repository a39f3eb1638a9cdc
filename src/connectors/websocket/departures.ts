/** Counts the ends of connections: why the runtime has closed some, and all by their close code. */
import { type CloseReason, counterOfProtocolError } from "./closing.ts";
import type { Counters } from "./counters.ts";

/** The codes of RFC 6455 and its registry. A client may send any other from 3000 to 4999. */
const NAMED: ReadonlySet<number> = new Set([
  ...[1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009],
  ...[1010, 1011, 1012, 1013, 1014],
]);

/** The connections that have ended since the start. */
export class Departures {
  readonly #counters: Counters;
  readonly #byServer = new Map<number, number>();
  readonly #byClient = new Map<string, number>();

  /** Adds to `counters` where the runtime closes a connection over what its client sent. */
  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Counts an end. `ours` is the server's own reason, `seen` what the socket tells. */
  add(ours: CloseReason | undefined, seen: CloseReason): void {
    if (ours !== undefined) return count(this.#byServer, ours.code);
    const counter = counterOfProtocolError(seen);
    this.#counters.add(counter);
    if (counter !== undefined) count(this.#byServer, seen.code);
    else count(this.#byClient, NAMED.has(seen.code) ? String(seen.code) : "other");
  }

  /** How many connections the server has ended, by code. */
  get byServer(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byServer);
  }

  /** How many ended otherwise, by the client's code; 1006 where there was none. */
  get byClient(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byClient);
  }
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
