/** The scenarios about rooms with history. */
import type { FeatureScenario } from "./features.ts";
import type { Frame } from "./guest.ts";
import type { Party } from "./party.ts";

/** The place after the last thing that was sent: that of a join's answer, with another offset. */
function placeOf({ epoch }: Frame, offset: number): Frame {
  return { epoch, offset };
}

/** One client of each of three places; all are in the room, the last one without offsets. */
async function three(party: Party, room: string): Promise<Frame> {
  await party.come("ada", { at: 0, query: "color=red" });
  await party.come("bob", { at: 1, query: "color=blue" });
  await party.come("cy", { at: 2, query: "color=red" });
  const answer = await party.join("ada", room, { history: true });
  await party.join("bob", room, { history: true });
  await party.join("cy", room);
  return answer;
}

/** Sends texts, each from another place. */
async function say(party: Party, room: string, ...texts: readonly string[]): Promise<void> {
  const names = ["ada", "bob", "cy"].filter((name) => !party.guest(name).isGone);
  for (const [index, text] of texts.entries()) {
    await party.tell(names[index % names.length], "say", { to: room, text });
    await party.rest(text);
  }
}

/** A step reads the room at every place. */
async function newest(party: Party, room: string, limit: string): Promise<void> {
  for (const name of ["ada", "bob", "cy"]) await party.tell(name, "newest", { room, limit });
}

/** Each of them, by its name. */
export const historyScenarios: Readonly<Record<string, FeatureScenario>> = {
  async "history: messages have offsets for those that asked"(party) {
    const room = `kept:${party.suffix}`;
    await three(party, room);
    await say(party, room, "1", "2", "3");
    await party.join("bob", room);
    await party.join("cy", room, { history: true });
    await say(party, room, "4", "5");
    await newest(party, room, "2");
    await newest(party, room, "100");
    await party.rest("a step reads");
    await newest(party, `kept:${party.suffix}:empty`, "10");
    await newest(party, `plain-${party.suffix}`, "10");
    await party.tell("ada", "count", { to: room, text: "6" });
    await party.rest("how many have it");
  },

  async "history: clients come back elsewhere"(party) {
    const room = `kept:${party.suffix}`;
    const joined = await three(party, room);
    await say(party, room, "1", "2");
    party.guest("bob").leave(1006);
    await say(party, room, "3", "4");
    await party.come("bob", { at: 2 });
    await party.join("bob", room, { history: placeOf(joined, 2) });
    await party.rest("nothing is missing");
    await say(party, room, "5");
    await party.join("bob", room, { history: placeOf(joined, 5) });
    await party.rest("there was nothing more");
    await party.join("bob", room, { history: placeOf(joined, 6) });
    await party.rest("further than the room");
    await say(party, room, "6", "7");
    await party.come("eve", { at: 1 });
    await party.join("eve", room, { history: placeOf(joined, 3) });
    await party.rest("all that is kept");
    await party.join("eve", room, { history: placeOf(joined, 2) });
    await party.rest("too much is gone");
    await party.join("eve", room, { history: { epoch: "another", offset: 6 } });
    await party.rest("another epoch");
    await say(party, room, "8");
  },

  async "history: clients come back while messages are sent"(party) {
    const room = `kept:${party.suffix}`;
    const joined = await three(party, room);
    await say(party, room, "1");
    party.guest("bob").leave(1006);
    await say(party, room, "2");
    await party.come("bob", { at: 0 });
    const sending = party.tell("ada", "say", { to: room, text: "3" })
      .then(() => party.tell("ada", "say", { to: room, text: "4" }));
    await party.join("bob", room, { history: placeOf(joined, 1) });
    await sending;
    await party.rest("each once and in order");
  },

  async "history: a message_id is sent once"(party) {
    const room = `kept:${party.suffix}`;
    await three(party, room);
    for (const name of ["ada", "bob", "cy"]) {
      await party.tell(name, "once", { to: room, text: name, id: "first" });
      await party.rest(`from ${name}`);
    }
    await party.tell("cy", "once", { to: room, text: "number", id: 7 });
    await party.tell("ada", "once", { to: room, text: "text", id: "7" });
    await party.tell("ada", "once", { to: room, text: "none", id: null });
    await party.tell("bob", "once", { to: room, text: "none", id: null });
    await party.tell("bob", "once", { to: room, text: "bad", id: ["list"] });
    await party.rest("numbers, none, and nonsense");
    await party.tell("bob", "once", { to: room, text: "more", id: "more" });
    await party.tell("bob", "once", { to: room, text: "first again", id: "first" });
    await party.rest("one that is no longer kept");
    await newest(party, room, "10");
    await party.rest("a step reads");
  },

  async "history: exclude_sender"(party) {
    const room = `kept:${party.suffix}`;
    const joined = await three(party, room);
    await party.come("ada again", { at: 1, user: "ada" });
    await party.join("ada again", room, { history: true });
    await party.tell("ada", "others", { to: room, text: "1" });
    await party.rest("not to its sender");
    await party.tell("bob", "others", { to: room, text: "2" });
    await party.rest("the next one");
    for (const [name, at] of [["ada", 2], ["bob", 0], ["eve", 1]] as const) {
      if (name !== "eve") party.guest(name).leave(1006);
      await party.come(name, { at });
      await party.join(name, room, { history: placeOf(joined, 0) });
    }
    await party.rest("not replayed to its sender's user");
  },

  async "history: what is filtered is not kept"(party) {
    const room = `kept:${party.suffix}`;
    const joined = await three(party, room);
    await say(party, room, "1");
    await party.tell("bob", "filtered", { to: room, text: "red", color: "red" });
    await party.rest("a filter");
    await say(party, room, "2");
    await party.come("eve", { at: 1 });
    await party.join("eve", room, { history: placeOf(joined, 0) });
    await party.rest("replayed without it");
  },

  async "history: an order joins a user with history"(party) {
    const room = `kept:${party.suffix}`;
    await party.come("ada", { at: 0 });
    await party.come("bob", { at: 1 });
    await party.come("bob again", { at: 2, user: "bob" });
    await party.tell("ada", "remember", { user: "bob", room });
    await party.rest("ordered");
    await party.tell("ada", "say", { to: room, text: "1" });
    await party.rest("1");
    await party.tell("ada", "say", { to: room, text: "2" });
    await party.rest("2");
    const watcher = await party.join("ada", room, { history: true });
    const resume = (offset: number) =>
      `resume=${encodeURIComponent(`${encodeURIComponent(room)}:${watcher.epoch}:${offset}`)}`;
    party.guest("bob").leave(1006);
    party.guest("bob again").leave(1006);
    await party.tell("ada", "say", { to: room, text: "3" });
    await party.come("bob", { at: 2, query: resume(1) });
    await party.come("bob again", { at: 0, user: "bob" });
    await party.tell("ada", "remember", { user: "bob", room });
    await party.rest("what was sent meanwhile");
    for (const text of ["4", "5", "6", "7"]) await party.tell("ada", "say", { to: room, text });
    await party.rest("more");
    party.guest("bob").leave(1006);
    await party.come("bob", { at: 1, query: resume(1) });
    await party.tell("ada", "remember", { user: "bob", room });
    await party.rest("too much is gone");
    await party.tell("ada", "expel", { user: "bob", room });
    await party.tell("ada", "say", { to: room, text: "8" });
    await party.rest("out");
  },

  async "history: what is refused, and what has no effect"(party) {
    const room = `kept:${party.suffix}`;
    const plain = `plain-${party.suffix}`;
    await three(party, room);
    for (
      const history of [1, "yes", [], { epoch: "e" }, { epoch: 1, offset: 1 }, {
        epoch: "e",
        offset: -1,
      }, { epoch: "e", offset: 0.5 }]
    ) {
      await party.join("bob", room, { history });
    }
    await party.join("bob", plain, { history: true });
    await party.join("bob", plain, { history: { epoch: "e", offset: 1 } });
    await party.rest("refused");
    await say(party, room, "1");
    await say(party, plain, "2");
  },
};
