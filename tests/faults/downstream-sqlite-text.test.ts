/** The entry of "Downstream" about text that UTF-8 cannot hold. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { rowsOf } from "../support/talk.ts";
import type { Frame } from "../support/web-client.ts";
import { codeOf } from "./downstream.ts";
import { type NotesOptions, open, startNotes, store } from "./notes.ts";
import { processFault } from "./stage.ts";

const service: NotesOptions = {
  blocks: `
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  flow "once" {
    from {
      connector = "ws"
      operation = "once"
    }
    dedupe {
      key   = "input.key"
      ttl   = "1m"
      store = "db"
    }
    to {
      connector = "db"
      query     = "INSERT INTO notes (text) VALUES ('once')"
    }
  }
  flow "find" {
    from {
      connector = "ws"
      operation = "find"
    }
    step "notes" {
      connector = "db"
      query     = "SELECT count(*) AS n FROM notes WHERE text = :text"
    }
    response {
      n = "step.notes.n"
    }
  }
  flow "publish" {
    from {
      connector = "ws"
      operation = "publish"
    }
    to {
      connector = "events"
      target    = "input.to"
    }
  }
  flow "published" {
    from { connector = "events" }
    to {
      connector = "ws"
      operation = "broadcast"
    }
  }
`,
};

processFault(
  "half of a surrogate pair → refused by a database, as a routing key and as a room; unchanged elsewhere",
  async (stage) => {
    const weir = await startNotes(stage, service);
    const client = await open(weir);
    const say = (type: string, data: Frame) => client.request({ type, data });
    const halves = ["a\ud83db", "\ude00\ud83d", "\udfff"];
    for (const text of halves) {
      for (const value of [text, [text], { deep: [{ text }] }, { [text]: 1 }]) {
        assert.equal(await store(client, value), "flow_failed");
      }
      assert.equal(codeOf(await say("find", { text })), "flow_failed");
      assert.equal(codeOf(await say("publish", { to: text })), "flow_failed");
      assert.equal(codeOf(await client.request({ type: "join_room", room: text })), "invalid_room");
      assert.deepEqual((await say("echo", { text })).data, { text });
      assert.equal(codeOf(await say("publish", { to: "a", text })), undefined);
      assert.deepEqual(await client.message(), { to: "a", text });
    }
    const whole = "\u{1F600} \\ud83d";
    for (const text of [whole, [whole]]) {
      assert.equal(await store(client, text), undefined);
    }
    assert.deepEqual((await say("find", { text: whole })).data, { n: 1 });
    // These are different keys, which they would not be where each half became the same character.
    for (const key of [...halves, ...halves]) {
      assert.equal(codeOf(await say("once", { key })), undefined);
    }
    assert.deepEqual(
      rowsOf(join(stage.folder, "notes.db"), "notes").map(({ text }) => text),
      [whole, JSON.stringify([whole]), "once", "once", "once"],
    );
    assert.match(
      weir.stderr,
      /column "text": has half of a surrogate pair, which cannot be stored/,
    );
  },
);
