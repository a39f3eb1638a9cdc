/** The entries of "Attacker" about what a client can write into a log or an answer. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { processFault } from "./stage.ts";

/** A flow on frames of this type. */
function flow(type: string, rest: string): string {
  return `
    flow "${type}" {
      from {
        connector = "ws"
        operation = "${type}"
      }
      ${rest}
    }
  `;
}

const service = `
  type "numbered" {
    n = number()
  }
  connector "ws" {
    type = "websocket"
    port = 3001
    room "lobby" {}
  }
  connector "broker" {
    type   = "mq"
    driver = "memory"
    publisher {
      mandatory = true
    }
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = ":memory:"
    migrations = "migrations"
  }
` +
  flow("key", 'to {\n connector = "broker"\n target = "input.name"\n }') +
  flow("table", 'to {\n connector = "db"\n target = "input.name"\n }') +
  flow("column", 'to {\n connector = "db"\n target = "notes"\n }') +
  flow(
    "query",
    'step "found" {\n connector = "db"\n query = "SELECT json_extract(\'{}\', :name) AS x"\n' +
      ' params = { name = "input.name" }\n }\n response {\n x = "step.found"\n }',
  ) +
  flow("format", 'response {\n text = "format(input.name, [1])"\n }') +
  flow("field", 'validate {\n input = "numbered"\n }\n response {\n n = "input.n"\n }');

/** Colours, a change of the direction, invisible marks, forged lines, and a text that is too long. */
const MARKS = "\u001b[31m\u202e\u2066\u200b\u2028\u0085\r\nFORGED 2026-01-01 [INF] weir: ";
const EVIL = `${MARKS}${"x".repeat(20_000)}`;

/** None of the marks is there as it was sent. */
function assertHarmless(text: string, where: string): void {
  for (const line of text.split("\n")) {
    assert.doesNotMatch(line, /\p{Cc}|\p{Cf}|\p{Zl}/u, where);
    assert.doesNotMatch(line, /^FORGED/, where);
    assert.doesNotMatch(line, /x{400}/, where);
  }
}

for (const format of ["text", "json"]) {
  processFault(
    `names that a client sends (keys, tables, columns, fields, types, rooms), as ${format} in the log → at most 100 characters of each, escaped, in answers too`,
    async (stage) => {
      await writeFile(join(stage.folder, "service.hcl"), service);
      await mkdir(join(stage.folder, "migrations"));
      const table = join(stage.folder, "migrations/1.sql");
      await writeFile(table, "CREATE TABLE notes (text TEXT)");
      const log = ["--log-level", "debug", "--log-format", format];
      const weir = await stage.run([stage.folder, "--port", "ws=0", ...log]);
      const client = await SocketClient.connect(weir.port);
      client.write(handshakeText("/ws"));
      await client.upgraded();
      const evil = ["key", "table", "query"].map((type) => ({ type, data: { name: EVIL } }));
      const short = { type: "key", data: { name: MARKS } };
      const column = { type: "column", data: { [EVIL]: 1 } };
      const placeholder = { type: "format", data: { name: `%.${"1".repeat(9_000)}\u202e` } };
      const field = { type: "field", data: { n: 1, [EVIL]: 1 } };
      const room = { type: "join_room", room: "r\u202e\u200b" };
      const frames = [...evil, short, column, placeholder, field, { type: EVIL }, room];
      for (const [id, frame] of frames.entries()) {
        const answer = await client.ask({ ...frame, id });
        assert.equal(answer.type, "error", frame.type.slice(0, 20));
        const text = JSON.stringify(answer);
        assertHarmless(text, text);
        assert.ok(text.length < 1_000, text);
      }
      weir.signal("SIGTERM");
      const { stderr } = await weir.ended();
      assertHarmless(stderr, stderr);
      for (const name of ["key", "table", "column", "format"]) {
        assert.match(stderr, new RegExp(`flow "?${name}"? failed|"flow":"${name}"`));
      }
    },
  );
}
