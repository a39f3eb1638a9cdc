/** The broker in memory, which plays any driver's. */
import type { Driver, DriverModule } from "./driver.ts";

/** Loads a driver in memory that routes in this way. */
export async function loadPlayer(routing: Driver["memory"]): Promise<DriverModule> {
  const { MemoryBroker } = await import("../../messaging/memory/mod.ts");
  return { createBroker: (options, context) => new MemoryBroker(routing(options), context) };
}
