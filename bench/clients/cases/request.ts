/** A request is served, and the connection is cut before its answer is there. */
import { until, type World } from "../world.ts";

/** What happened. */
export type Request = {
  /** `answered`, or why it was rejected. */
  readonly outcome: string;
  /** After how many milliseconds. */
  readonly after: number;
  /** How often the server has served it. */
  readonly served: number;
};

/** How requests are sent. */
export interface Ways {
  readonly retry?: boolean;
  readonly dedupe?: boolean;
}

/** Measures it. */
export async function request(world: World, ways: Ways = {}): Promise<Request> {
  await world.startServer();
  const watcher = await world.chat({ direct: true });
  const client = await world.connect(ways);
  const start = Date.now();
  const cut = world.proxy.cutWhen({ direction: "to client", bytes: 1 });
  const end = await client.ask(7);
  await cut;
  await client.told("its return", ({ event }) => event === "open", start);
  // What is repeated is repeated by now.
  await watcher.ask(8);
  await until("the last message", () => watcher.shown.includes(8));
  return {
    outcome: end.event === "rejected" ? end.reason : end.event,
    after: end.at - start,
    served: watcher.shown.filter((n) => n === 7).length,
  };
}
