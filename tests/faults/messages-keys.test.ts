/** The entries of "Messages" about the keys of `dedupe`. */
import assert from "node:assert/strict";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { rowsOf } from "../support/talk.ts";
import { processFault } from "./stage.ts";

const service = `
  connector "ws" {
    type = "websocket"
    port = 3001
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = "keys.db"
    migrations = "migrations"
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    transform {
      text = "size(input.key)"
    }
    dedupe {
      key   = "input.key"
      ttl   = "1h"
      store = "db"
    }
    to {
      connector = "db"
      target    = "said"
    }
  }
`;

processFault(
  "dedupe keys of 500 KB → kept as hashes: each is recognized, and none is taken for another",
  async (stage) => {
    await writeFile(join(stage.folder, "service.hcl"), service);
    await mkdir(join(stage.folder, "migrations"));
    const table = join(stage.folder, "migrations/1.sql");
    await writeFile(table, "CREATE TABLE said (text INTEGER)");
    const weir = await stage.run([stage.folder, "--port", "ws=0"]);
    const client = await SocketClient.connect(weir.port);
    client.write(handshakeText("/ws"));
    await client.upgraded();
    let id = 0;
    const say = async (key: string): Promise<void> => {
      id++;
      assert.deepEqual(await client.ask({ type: "say", data: { key }, id }), { type: "ack", id });
    };
    const long = (n: number): string => `${"x".repeat(500_000)}${n}`;
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 30; n++) await say(long(n));
    }
    const database = join(stage.folder, "keys.db");
    assert.equal(rowsOf(database, "said").length, 30);
    const keys = rowsOf(database, "_weir_keys").map(({ key }) => String(key));
    // A short key with the text of a hash is another key.
    for (const key of keys) {
      assert.match(key, /^sha256:[0-9a-f]{64}$/);
      await say(key);
      await say(key);
    }
    assert.equal(rowsOf(database, "said").length, 60);
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0);
    assert.ok((await stat(database)).size < 1_000_000);
  },
);
