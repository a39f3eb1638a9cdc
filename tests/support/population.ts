/** Who is there, of all that a `websocket` connector counts. */
import type { Runtime } from "../../src/runtime/mod.ts";

/** Numbers that fall when clients leave. */
export interface Population {
  readonly connections: number;
  readonly rooms: number;
  readonly users: number;
}

/** The connections, rooms and users of a connector now. */
export function population(runtime: Runtime, connector = "ws"): Population {
  const { connections, rooms, users } = runtime.counts()[connector];
  return { connections, rooms, users };
}
