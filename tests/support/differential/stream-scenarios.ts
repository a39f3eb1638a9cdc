/** The scenarios about clients of streams. */
import type { FeatureScenario } from "./features.ts";

/** Those that need no history. */
export const streamScenarios: Readonly<Record<string, FeatureScenario>> = {
  async "streams: a room, a user, all, and a filter"(party) {
    const [room, other] = [`room-${party.suffix}`, `other-${party.suffix}`];
    await party.come("ada", { at: 0, query: "color=red" });
    await party.listen("bob", { at: 1, query: `room=${room}&color=red` });
    await party.listen("bob again", {
      at: 2,
      user: "bob",
      query: `room=${room}&room=${other}&room=${room}&color=blue`,
    });
    await party.listen("cy", { at: 2, query: "color=red" });
    await party.tell("ada", "count", { to: room, text: "room" });
    await party.rest("a room");
    await party.tell("ada", "count", { to: other, text: "other" });
    await party.rest("another room");
    await party.tell("ada", "write", { user: "bob", text: "user" });
    await party.rest("a user");
    await party.tell("ada", "tell", { text: "all" });
    await party.rest("all");
    await party.tell("ada", "shout", { text: "red", color: "red" });
    await party.rest("all with a filter");
    await party.tell("ada", "filtered", { to: room, text: "blue", color: "blue" });
    await party.rest("a room with a filter");
    party.guest("bob").leave();
    await party.tell("ada", "count", { to: room, text: "left" });
    await party.rest("one has left");
  },

  async "streams: orders"(party) {
    const [room, other] = [`room-${party.suffix}`, `other-${party.suffix}`];
    await party.come("ada", { at: 0 });
    await party.listen("bob", { at: 1, query: `room=${room}` });
    await party.come("bob too", { at: 2, user: "bob" });
    await party.tell("ada", "invite", { user: "bob", room: other });
    await party.tell("ada", "count", { to: other, text: "in" });
    await party.rest("in");
    await party.tell("ada", "expel", { user: "bob", room });
    await party.tell("ada", "count", { to: room, text: "nobody" });
    await party.rest("out");
    await party.tell("ada", "kick", { user: "bob" });
    await party.tell("ada", "count", { to: other, text: "nobody" });
    await party.rest("away");
  },

  async "streams: members of rooms"(party) {
    const room = `doc:${party.suffix}`;
    await party.listen("ada", { at: 0, query: `room=${room}&presence=1&color=red` });
    await party.know(room, ["ada×1"]);
    await party.rest("a stream watches");
    await party.listen("bob", { at: 1, query: `room=${room}` });
    await party.come("ada too", { at: 2, user: "ada" });
    await party.watch("ada too", room, { status: "here" });
    await party.know(room, ['ada×2{"status":"here"}', "bob×1"]);
    await party.rest("another one, and a WebSocket of the first");
    party.guest("bob").leave();
    await party.come("eve", { at: 1 });
    await party.join("eve", room);
    await party.know(room, ['ada×2{"status":"here"}', "bob×1", "eve×1"]);
    await party.rest("a stream that ends keeps its place");
    await party.tell("eve", "expel", { user: "bob", room });
    await party.tell("eve", "kick", { user: "eve" });
    await party.know(room, ['ada×2{"status":"here"}', "bob×1"]);
    await party.rest("an order ends it only for those who are there");
  },

  async "streams: what is refused"(party) {
    for (const query of ["room=", "room=a&room=b&room=c&room=d", "presence=2"]) {
      for (const at of [0, 1, 2]) await party.listen("nobody", { at, query });
    }
    await party.rest("refused");
  },
};

/** Those that need history. */
export const streamHistoryScenarios: Readonly<Record<string, FeatureScenario>> = {
  async "streams: a room with history"(party) {
    const room = `kept:${party.suffix}`;
    const query = `room=${encodeURIComponent(room)}`;
    await party.come("ada", { at: 0 });
    await party.listen("bob", { at: 1, query });
    const say = async (text: string) => {
      await party.tell("ada", "say", { to: room, text });
      await party.rest(text);
    };
    await say("1");
    await say("2");
    const { lastEventId } = party.guest("bob");
    party.guest("bob").leave();
    await say("3");
    await say("4");
    await party.listen("bob", { at: 2, query }, lastEventId);
    await party.rest("what was sent meanwhile");
    await say("5");
    for (const id of ["nonsense", "", `${room}:another:1`, `other:another:1`]) {
      await party.listen("cy", { at: 0, query }, id);
      await party.rest(`the id ${id.replace(party.suffix, "")}`);
      party.guest("cy").leave();
    }
    await say("6");
    await say("7");
    await party.listen("cy", { at: 0, query }, lastEventId);
    await party.rest("too much is gone");
    await say("8");
  },

  async "streams: two rooms with history have no ids"(party) {
    const rooms = [`kept:${party.suffix}:a`, `kept:${party.suffix}:b`];
    await party.come("ada", { at: 0 });
    await party.listen("bob", { at: 1, query: `room=${rooms[0]}&room=${rooms[1]}` });
    for (const room of rooms) {
      await party.tell("ada", "say", { to: room, text: room });
      await party.rest(room);
    }
  },
};
