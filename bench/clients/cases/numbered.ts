/** 1000 numbered requests, 50 at a time, through a proxy that cuts them off ten times. */
import { pause, until, type World } from "../world.ts";
import type { Ways } from "./request.ts";

const COUNT = 1000;
const CUTS = 9;

/** What happened. */
export type Numbered = {
  readonly answered: number;
  /** Requests that the library has rejected: the program knows. */
  readonly rejected: number;
  /** Requests that were not served. */
  readonly lost: number;
  /** Requests that were served more than once. */
  readonly doubled: number;
  /** Requests that were answered, but not served. */
  readonly false: number;
  readonly cuts: number;
  /** All of it, in milliseconds. */
  readonly took: number;
};

/** Measures it. */
export async function numbered(world: World, ways: Ways): Promise<Numbered> {
  await world.startServer();
  const watcher = await world.chat({ direct: true });
  const client = await world.connect(ways);
  const ended = () => client.of("answered").length + client.of("rejected").length;
  const start = Date.now();
  client.order({ numbers: COUNT });
  const { proxy } = world;
  const kinds = [
    () => proxy.cutWhen({ direction: "to client", bytes: 300 }),
    () => proxy.cutWhen({ direction: "to server", bytes: 500 }),
    () => Promise.resolve(proxy.cut()),
  ];
  let cuts = 0;
  for (; cuts < CUTS; cuts++) {
    const least = COUNT * (cuts + 1) / (CUTS + 1);
    await until(`${least} ends`, () => ended() >= least, 1, 120_000);
    await kinds[cuts % kinds.length]();
  }
  await client.told("the end", ({ event }) => event === "done");
  const took = Date.now() - start;
  await pause(1000);
  await watcher.ask(COUNT);
  await until("the last message", () => watcher.shown.includes(COUNT));
  const served = new Map<number, number>();
  for (const n of watcher.shown) served.set(n, (served.get(n) ?? 0) + 1);
  const all = Array.from({ length: COUNT }, (_, n) => n);
  const answered = client.of("answered");
  return {
    answered: answered.length,
    rejected: client.of("rejected").length,
    lost: all.filter((n) => !served.has(n)).length,
    doubled: all.filter((n) => (served.get(n) ?? 0) > 1).length,
    false: answered.filter(({ n }) => !served.has(n)).length,
    cuts,
    took,
  };
}
