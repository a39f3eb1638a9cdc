/** The server ends in order and is away for a second. What it had in its memory is gone. */
import { summarize } from "../../statistics.ts";
import { type Note, pause, type Program, type World } from "../world.ts";

const ROUNDS = 5;
/** Milliseconds that a connection lives at least: after a short life, Weir waits longer. */
const LIFE = 4000;

/** What happened. */
export type Restart = {
  readonly rounds: number;
  /** In how many rounds the chat was told to load what it shows. */
  readonly told: number;
  /** Messages that are missing and of which nothing was told. */
  readonly lost: number;
  readonly doubled: number;
  /** The median time from the server's return until the chat is in its room again, in milliseconds. */
  readonly back: number;
};

/** Measures it. */
export async function restart(world: World): Promise<Restart> {
  await world.startServer();
  const reader = await world.chat();
  const rounds = [];
  for (let round = 1; round <= ROUNDS; round++) {
    rounds.push(await again(world, reader, round));
  }
  return {
    rounds: ROUNDS,
    told: reader.of("reload").length,
    lost: rounds.reduce((sum, { lost }) => sum + lost, 0),
    doubled: reader.shown.length - new Set(reader.shown).size,
    back: summarize(rounds.map(({ back }) => back)).median,
  };
}

/** One restart. Messages are said before it, and all the time after it. */
async function again(world: World, reader: Program, round: number) {
  let next = round * 10_000;
  const before = await world.chat({ direct: true });
  const first = next++;
  await before.ask(first);
  await reader.told("a message", (note) => note.event === "message" && note.n === first);
  await before.end();
  await pause(LIFE);
  await world.stopServer();
  await pause(1000);
  await world.startServer();
  const start = Date.now();
  const writer = await world.chat({ direct: true });
  const said: { readonly n: number; readonly at: number }[] = [];
  const say = async () => {
    const n = next++;
    said.push({ n, at: Date.now() });
    await writer.ask(n);
    await pause(50);
    return n;
  };
  const sign = () => reader.notes.find(({ at }) => at >= start);
  while (sign() === undefined) await say();
  for (let n = 0; n < 20; n++) await say();
  const last = await say();
  await reader.told("the last message", (note) => note.event === "message" && note.n === last);
  await writer.end();
  const { at, event } = sign() as Note;
  // What was said before the word to reload is in what the chat loads then.
  const owed = said.filter((each) => event !== "reload" || each.at > at);
  return {
    back: at - start,
    lost: owed.filter(({ n }) => !reader.shown.includes(n)).length,
  };
}
