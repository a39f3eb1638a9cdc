/** A connection is cut five times while a room is busy. */
import { summarize } from "../../statistics.ts";
import { pause, until, type World } from "../world.ts";
import { tally } from "./tally.ts";

const CUTS = 5;
const BETWEEN = 20;
/** Milliseconds that a connection lives at least: after a short life, Weir waits longer. */
const LIFE = 4000;

/** What happened. */
export type Cut = {
  readonly lost: number;
  readonly doubled: number;
  readonly ordered: boolean;
  readonly reloads: number;
  /** The median time from a cut to the first message after it, in milliseconds. */
  readonly back: number;
};

/** Measures it. */
export async function cut(world: World): Promise<Cut> {
  await world.startServer();
  const reader = await world.chat();
  const writer = await world.chat({ direct: true });
  const times: number[] = [];
  const expected: number[] = [];
  const say = async () => {
    expected.push(expected.length);
    await writer.ask(expected.length - 1);
    await pause(20);
  };
  for (let round = 0; round < CUTS; round++) {
    for (let n = 0; n < BETWEEN; n++) await say();
    await pause(LIFE);
    await until("all messages", () => reader.shown.length >= expected.length, 5, 60_000);
    const start = Date.now();
    world.proxy.cut();
    const before = reader.shown.length;
    while (reader.shown.length === before) await say();
    times.push(reader.of("message")[before].at - start);
  }
  // What else is there comes now.
  await say();
  const last = expected.length - 1;
  await reader.told("the last message", (note) => note.event === "message" && note.n === last);
  return {
    ...tally(reader.shown, expected),
    reloads: reader.of("reload").length,
    back: summarize(times).median,
  };
}
