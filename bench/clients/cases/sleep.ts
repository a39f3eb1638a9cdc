/** A laptop is closed for 90 seconds: the program does not run, and nothing is told to the network. */
import { pause, type World } from "../world.ts";
import { tally } from "./tally.ts";

const ASLEEP = 90_000;
const MESSAGES = 30;

/** What happened. */
export type Sleep = {
  readonly lost: number;
  readonly doubled: number;
  readonly ordered: boolean;
  readonly reloads: number;
  /** From its awakening until everything is shown, in milliseconds. */
  readonly back: number;
};

/** Measures it. */
export async function sleep(world: World): Promise<Sleep> {
  await world.startServer();
  const reader = await world.chat();
  const writer = await world.chat({ direct: true });
  const expected: number[] = [];
  const say = async () => {
    expected.push(expected.length);
    await writer.ask(expected.length - 1);
  };
  for (let n = 0; n < 5; n++) await say();
  await reader.told("five messages", (note) => note.event === "message" && note.n === 4);
  reader.signal("SIGSTOP");
  for (let n = 0; n < MESSAGES; n++) {
    await pause(ASLEEP / MESSAGES);
    await say();
  }
  reader.signal("SIGCONT");
  const start = Date.now();
  const last = expected.length - 1;
  const end = await reader.told(
    "the last message or a reload",
    (note) => note.event === "reload" || note.event === "message" && note.n === last,
    start,
  );
  await pause(2000);
  await say();
  await reader.told("another message", (note) => note.event === "message" && note.n === last + 1);
  return {
    ...tally(reader.shown, expected),
    reloads: reader.of("reload").length,
    back: end.at - start,
  };
}
