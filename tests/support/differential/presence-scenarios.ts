/** The scenarios about the members of rooms. */
import type { FeatureScenario } from "./features.ts";
import type { Party } from "./party.ts";

/** An instance that is busy answers late, and is left out: then it is asked again, at most so often. */
const TIMES = 20;

/** What every runtime says of a room. Members are in no order, and a key is a text of chance. */
async function ask(party: Party, room: string): Promise<void> {
  for (let time = 1;; time++) {
    const places = [0, 1, 2].map((place) => party.at(place).runtime.presence(room));
    const found = await Promise.all(places);
    if (time < TIMES && found.some(({ count }) => count !== found[0].count)) continue;
    for (const { count, members } of found) {
      const texts = members.map((one) =>
        JSON.stringify({ ...one, ...(one.key !== undefined && { key: "a key" }) })
      );
      party.find({ count, members: texts.sort() });
    }
    return;
  }
}

/** Each of them, by its name. */
export const presenceScenarios: Readonly<Record<string, FeatureScenario>> = {
  async "presence: members come, tell, and go"(party) {
    const room = `doc:${party.suffix}`;
    await party.come("ada", { at: 0, query: "color=red" });
    await party.watch("ada", room);
    await party.know(room, ["ada×1"]);
    await party.rest("one member");
    await party.come("bob", { at: 1, query: "color=blue" });
    await party.watch("bob", room, { status: "here" });
    await party.know(room, ["ada×1", 'bob×1{"status":"here"}']);
    await party.rest("two members");
    await party.come("cy", { at: 2 });
    await party.watch("cy", room);
    await party.know(room, ["ada×1", 'bob×1{"status":"here"}', "cy×1"]);
    await party.rest("three members");
    await party.come("bob again", { at: 2, user: "bob", query: "color=green" });
    await party.join("bob again", room);
    await party.know(room, ["ada×1", 'bob×2{"status":"here"}', "cy×1"]);
    await party.rest("one of them twice");
    await party.ask("bob", { type: "presence", room, data: { status: "typing" } });
    await party.know(room, ["ada×1", 'bob×2{"status":"typing"}', "cy×1"]);
    await ask(party, room);
    await party.rest("one tells");
    party.guest("bob").leave();
    await party.know(room, ["ada×1", "bob×1", "cy×1"]);
    await party.rest("one connection leaves");
    await party.ask("bob again", { type: "leave_room", room });
    await party.know(room, ["ada×1", "cy×1"]);
    await ask(party, room);
    await party.rest("one leaves");
    await party.join("ada", room);
    await party.ask("cy", { type: "leave_room", room });
    await party.rest("nobody watches");
  },

  async "presence: who is back in time has not been away"(party) {
    const room = `doc:${party.suffix}`;
    await party.come("ada", { at: 0 });
    await party.watch("ada", room);
    await party.come("bob", { at: 1, query: "color=blue" });
    await party.join("bob", room);
    await party.know(room, ["ada×1", "bob×1"]);
    await party.rest("both");
    party.guest("bob").leave(1001);
    await party.come("bob", { at: 2, query: "color=blue" });
    await party.join("bob", room);
    await party.come("eve", { at: 1 });
    await party.join("eve", room);
    await party.know(room, ["ada×1", "bob×1", "eve×1"]);
    await ask(party, room);
    await party.rest("only the other one has come");
    party.guest("eve").leave(1006);
    await party.come("fay", { at: 2 });
    await party.join("fay", room);
    await party.know(room, ["ada×1", "bob×1", "eve×1", "fay×1"]);
    await party.rest("a lost one keeps its place");
  },

  async "presence: a place without grace ends at once"(party) {
    const room = `quick:${party.suffix}`;
    await party.come("ada", { at: 0 });
    await party.watch("ada", room);
    for (const [name, at] of [["bob", 0], ["cy", 1], ["dan", 2]] as const) {
      await party.come(name, { at });
      await party.join(name, room);
    }
    await party.know(room, ["ada×1", "bob×1", "cy×1", "dan×1"]);
    await party.rest("four");
    party.guest("bob").leave(1006);
    party.guest("cy").leave(1001);
    party.guest("dan").leave(1000);
    await party.know(room, ["ada×1"]);
    await ask(party, room);
    await party.rest("one");
  },

  async "presence: flows order members in, out and away"(party) {
    const room = `doc:${party.suffix}`;
    await party.come("ada", { at: 0 });
    await party.watch("ada", room);
    await party.come("bob", { at: 1 });
    await party.come("bob again", { at: 2, user: "bob" });
    await party.tell("ada", "invite", { user: "bob", room });
    await party.know(room, ["ada×1", "bob×2"]);
    await party.rest("in");
    await party.tell("ada", "expel", { user: "bob", room });
    await party.know(room, ["ada×1"]);
    await party.rest("out");
    await party.join("bob", room);
    await party.know(room, ["ada×1", "bob×1"]);
    await party.rest("one comes by itself");
    await party.tell("ada", "kick", { user: "bob" });
    await party.know(room, ["ada×1"]);
    await ask(party, room);
    await party.rest("away");
  },

  async "presence: above the most, only the number is told"(party) {
    const room = `few:${party.suffix}`;
    await party.come("ada", { at: 0 });
    await party.watch("ada", room);
    await party.come("bob", { at: 1 });
    await party.watch("bob", room);
    await party.know(room, ["ada×1", "bob×1"]);
    await party.rest("as many as can be");
    for (const [name, at, count] of [["cy", 2, 3], ["dan", 1, 4]] as const) {
      await party.come(name, { at });
      await party.join(name, room);
      await party.know(room, count);
      await party.rest(`${count}`);
    }
    await ask(party, room);
    party.guest("cy").leave();
    party.guest("dan").leave();
    await party.know(room, ["ada×1", "bob×1"]);
    await party.rest("the list again");
  },

  async "presence: clients without a user"(party) {
    const room = `doc:${party.suffix}`;
    await party.come("ada", { at: 0 });
    await party.watch("ada", room);
    await party.come("one", { at: 1, user: "", query: "color=red" });
    await party.join("one", room);
    await party.come("other", { at: 2, user: "" });
    await party.know(room, ["ada×1", "?×1"]);
    await party.watch("other", room, { status: "hidden" });
    await party.know(room, ["ada×1", "?×1", '?×1{"status":"hidden"}']);
    await ask(party, room);
    await party.rest("each is a member");
    party.guest("one").leave();
    await party.know(room, ["ada×1", '?×1{"status":"hidden"}']);
    await party.rest("one leaves");
  },

  async "presence: what is refused"(party) {
    const room = `doc:${party.suffix}`;
    const quick = `quick:${party.suffix}`;
    await party.come("ada", { at: 0 });
    await party.watch("ada", room);
    await party.come("bob", { at: 1 });
    await party.join("bob", room, { presence: { status: 7 } });
    await party.join("bob", room, { presence: "yes" });
    await party.join("bob", quick, { presence: { status: "here" } });
    await party.join("bob", `plain-${party.suffix}`, { presence: true });
    await party.ask("bob", { type: "presence", room, data: { status: "here" } });
    await party.ask("ada", { type: "presence", room, data: { status: "much too long" } });
    await party.ask("ada", { type: "presence", room, data: 7 });
    await party.tell("bob", "who", { room: `plain-${party.suffix}` });
    await party.know(room, ["ada×1"]);
    await party.rest("nobody has come");
    await party.tell("bob", "who", { room });
    await party.rest("a step answers");
  },
};
