/** No packet passes any more, and nobody is told. */
import { pause, type World } from "../world.ts";

/** What happened. */
export type Stall = {
  /** How long the library believed in the connection, in milliseconds. */
  readonly noticed: number;
};

/** Measures it. */
export async function stall(world: World): Promise<Stall> {
  await world.startServer();
  const client = await world.connect();
  await pause(1000);
  const start = Date.now();
  world.proxy.stall();
  const lost = await client.told("the loss", ({ event }) => event === "lost", start);
  return { noticed: lost.at - start };
}
