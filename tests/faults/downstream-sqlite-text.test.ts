/** The entry of "Downstream" about text that UTF-8 cannot hold. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rowsOf } from "../support/talk.ts";
import { type Frame, WebClient } from "../support/web-client.ts";
import { codeOf } from "./downstream.ts";
import { processFault } from "./stage.ts";

const config = `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = "./notes.db"
    migrations = "./migrations"
  }
  flow "echo" {
    from {
      connector = "ws"
      operation = "echo"
    }
    response {
      text = "input.text"
    }
  }
  flow "store" {
    from {
      connector = "ws"
      operation = "store"
    }
    to {
      connector = "db"
      target    = "notes"
    }
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
`;

processFault(
  "half of a surrogate pair → refused by the database and as a routing key or room, unchanged elsewhere",
  async (stage) => {
    await mkdir(join(stage.folder, "migrations"));
    const schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);";
    await writeFile(join(stage.folder, "migrations/001.sql"), schema);
    await writeFile(join(stage.folder, "weir.hcl"), config);
    const weir = await stage.run(["weir.hcl"]);
    const client = await WebClient.open(`ws://127.0.0.1:${weir.port}/ws`);
    const say = (type: string, data: Frame) => client.request({ type, data });
    const halves = ["a\ud83db", "\ude00\ud83d", "\udfff"];
    for (const text of halves) {
      for (const value of [text, [text], { deep: [{ text }] }, { [text]: 1 }]) {
        assert.equal(codeOf(await say("store", { text: value })), "flow_failed");
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
      assert.equal(codeOf(await say("store", { text })), undefined);
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
