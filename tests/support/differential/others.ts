/** What the table of scenarios has no row for: programs, refusals, and several who send at once. */
import { TURNS } from "./compare.ts";
import { type Name, NAMES, PEOPLE } from "./scenarios.ts";
import { type Runtimes, World } from "./world.ts";

/** Clients of different instances. */
const SENDERS = ["sender", "anna", "cleo"] as const;
/** How many messages each of them sends. */
const MESSAGES = 10;

/** Plays them with the clients at each place. Returns what the clients have heard. */
export async function playOthers(runtimes: Runtimes): Promise<readonly unknown[]> {
  const heard: unknown[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const world = new World(runtimes, turn);
    heard.push(await playProgram(world), await playRefusals(world), await playAtOnce(world));
    world.leave();
  }
  return heard;
}

/** What a program sends, and to how many. */
function playProgram(world: World): Promise<unknown> {
  return world.hear(async ({ runtime }) => [
    await runtime.broadcast("everybody"),
    await runtime.sendToRoom("kitchen", "a room"),
    await runtime.sendToUser("bob", "a user"),
    await runtime.sendToRoom("nowhere", "nobody"),
    await runtime.sendToUser("nowhere", "nobody"),
  ]);
}

/** A user whose connections may be in no further room is ordered into one. */
async function playRefusals(world: World): Promise<unknown> {
  await world.gather();
  const bobs = NAMES.filter((name) => PEOPLE[name].user === "bob").map((name) =>
    world.person(name)
  );
  const heard = await world.hear(async () => {
    for (const room of ["attic", "cellar", "garden"]) {
      await Promise.all(bobs.map((bob) => bob.ask({ type: "join_room", room, id: room })));
    }
    await world.person("sender").ask({ type: "crowd", id: "crowd", data: { room: "hut" } });
  });
  return { heard, rooms: await world.rooms() };
}

/** Clients of all instances send at the same time: the messages of each arrive in its order. */
async function playAtOnce(world: World): Promise<unknown> {
  const [, heard] = await world.hear(async () => {
    await Promise.all(SENDERS.map(async (name) => {
      const sender = world.person(name);
      for (let n = 0; n < MESSAGES; n++) {
        sender.tell({ type: "mark", id: `${n}`, data: { text: name, n } });
      }
      await sender.answered(`${MESSAGES - 1}`);
    }));
  });
  return [...heard].map(([name, messages]) => [name, bySender(messages)]);
}

function bySender(messages: readonly unknown[]): Partial<Record<Name, readonly unknown[]>> {
  const texts = messages.map((message) => JSON.stringify(message));
  return Object.fromEntries(
    SENDERS.map((name) => [name, texts.filter((text) => text.includes(`"text":"${name}"`))]),
  );
}
