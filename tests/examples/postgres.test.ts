/** The chat on PostgreSQL: a row that anybody inserts appears in the page. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openStage, root, runtimes, type Stage, type Weir } from "../support/process.ts";
import { dropSlot, withPostgres, withPostgresServer } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";

await serviceTest(
  "postgres-server",
  "postgres: rows become messages, on every runtime",
  async () => {
    await withPostgresServer(async (server) => {
      await Promise.all(runtimes.map((runtime) =>
        withPostgres(async ({ url, sql }) => {
          const stage = await openStage(runtime);
          try {
            // The slot belongs to the server, not to the database.
            await chat(stage, url, `weir_chat_${runtime}`, sql);
          } finally {
            await stage.end();
            await dropSlot(sql, `weir_chat_${runtime}`);
          }
        }, { at: server.url() })
      ));
    });
  },
);

async function chat(
  stage: Stage,
  url: string,
  slot: string,
  sql: (text: string) => Promise<unknown>,
): Promise<void> {
  const env = { DATABASE_URL: url, CHAT_SLOT: slot };
  const run = () => stage.run([join(root, "examples/postgres"), "--port", "ws=0"], { env });
  let weir = await run();
  const ada = await enter(weir, "Ada");
  const bob = await enter(weir, "Bob");
  assert.partialDeepStrictEqual(await ada.frame("presence"), { members: [{ user_id: "Ada" }] });
  assert.partialDeepStrictEqual(await ada.frame("presence"), { joined: [{ user_id: "Bob" }] });

  const data = { id: "m1", room: "lobby", text: " Hello " };
  const { data: said } = await ada.request({ type: "message", data });
  const heard = { kind: "message", id: "m1", author: "Ada", text: "Hello" };
  for (const client of [ada, bob]) {
    assert.deepEqual(await client.message(), { ...heard, room: "lobby", ...said as Frame });
  }
  await ada.request({ type: "message", data });

  await sql("INSERT INTO messages (author, text) VALUES ('psql', 'From a terminal')");
  const row = { kind: "message", author: "psql", text: "From a terminal" };
  const told = await ada.message() as Frame;
  assert.partialDeepStrictEqual(told, row);
  assert.partialDeepStrictEqual(await bob.message(), row);
  // A page compares the times of both to count what it has not read.
  const rooms = await (await fetch(`http://localhost:${weir.port}/rooms`)).json();
  assert.deepEqual(rooms, [{ name: "lobby", messages: 2, newest: told.created_at }]);

  const answer = await post(`http://localhost:${weir.port}/orders`, { id: 17, status: "packed" });
  const order = await answer.json();
  assert.deepEqual(await ada.message(), { kind: "order", ...order });
  await sql("DELETE FROM orders");
  await sql("INSERT INTO orders (id, status) VALUES ('18', 'sent')");
  assert.partialDeepStrictEqual(await ada.message(), { kind: "order", id: "18", status: "sent" });

  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0, weir.output);
  weir = await run();
  const found = await fetch(`http://localhost:${weir.port}/rooms/lobby/messages`);
  const texts = (await found.json() as readonly Frame[]).map(({ text }) => text);
  assert.deepEqual(texts, ["Hello", "From a terminal"]);
}

async function enter({ port }: Weir, name: string): Promise<WebClient> {
  const client = await WebClient.open(`ws://localhost:${port}/ws?user_id=${name}&name=${name}`);
  await client.request({ type: "join_room", room: "lobby", presence: true });
  return client;
}
