/** Who is there at the moment, as the server counts it. */
import type { Runtime } from "../../src/runtime.ts";

/** What the websocket connector "ws" holds. */
export interface Presence {
  readonly connections: number;
  readonly rooms: number;
  readonly users: number;
}

/** The counts that go down again; those of what has happened since the start are left out. */
export function presence(runtime: Runtime): Presence {
  const { connections, rooms, users } = runtime.counts().ws;
  return { connections, rooms, users };
}
