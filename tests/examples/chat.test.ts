/** The chat, on every runtime. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root, type Stage, stageTest, type Weir } from "../support/process.ts";
import { SocketClient } from "../support/socket-client.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";

const example = join(root, "examples/chat");

stageTest(
  "chat: what is said in a room is heard there, and found after a restart",
  async (stage) => {
    const chat = await startChat(stage);
    const ada = await enter(chat, "Ada", "lobby");
    const bob = await enter(chat, "Bob", "lobby");
    const cyd = await enter(chat, "Cyd", "kitchen");

    const said = await ada.request(message("m1", "lobby", " <b>Hello</b> ' \\ 🙂 "));
    const heard = await bob.message() as Frame;
    assert.deepEqual(await ada.message(), heard);
    const text = "<b>Hello</b> ' \\ 🙂";
    assert.partialDeepStrictEqual(heard, { kind: "message", id: "m1", author: "Ada", text });
    assert.deepEqual(said.data, { created_at: heard.created_at });
    await bob.request(message("m2", "lobby", "Hi Ada"));
    assert.partialDeepStrictEqual(await ada.message(), { author: "Bob", text: "Hi Ada" });
    assert.equal(cyd.waiting, 0);

    chat.signal("SIGINT");
    assert.equal((await chat.ended()).code, 0, chat.output);
    const codes = await Promise.all([ada, bob, cyd].map((client) => client.closed));
    assert.deepEqual(codes, [1001, 1001, 1001]);

    const again = await startChat(stage);
    const lines = (await history(again, "lobby")).map(({ author, text }) => `${author}: ${text}`);
    assert.deepEqual(lines, ["Ada: <b>Hello</b> ' \\ 🙂", "Bob: Hi Ada"]);
    assert.deepEqual(await history(again, "kitchen"), []);
  },
);

stageTest("chat: a page gets the newest fifty messages, oldest first", async (stage) => {
  const chat = await startChat(stage);
  const ada = await enter(chat, "Ada", "lobby");
  for (let n = 0; n < 60; n++) await ada.request(message(`n${n}`, "lobby", `${n}`));
  const texts = (await history(chat, "lobby")).map(({ text }) => text);
  assert.deepEqual(texts, Array.from({ length: 50 }, (_, index) => `${index + 10}`));
});

stageTest("chat: the members of a room are told by name", async (stage) => {
  const chat = await startChat(stage);
  const ada = await enter(chat, "Ada", "lobby");
  assert.partialDeepStrictEqual(await ada.frame("presence"), {
    count: 1,
    members: [{ user_id: "user-Ada", info: { name: "Ada" } }],
  });
  const bob = await enter(chat, "Bob", "lobby");
  const list = await bob.frame("presence");
  assert.deepEqual(namesIn(list.members).sort(), ["Ada", "Bob"]);
  const joined = await ada.frame("presence");
  assert.deepEqual([joined.count, namesIn(joined.joined)], [2, ["Bob"]]);

  await bob.request({ type: "leave_room", room: "lobby" });
  assert.partialDeepStrictEqual(await ada.frame("presence"), { left: [{ user_id: "user-Bob" }] });
  await bob.request({ type: "join_room", room: "lobby" });
  assert.deepEqual(namesIn((await ada.frame("presence")).joined), ["Bob"]);
  bob.close();
  assert.partialDeepStrictEqual(await ada.frame("presence"), { left: [{ user_id: "user-Bob" }] });
});

stageTest("chat: a client that comes back under its user gets what it missed", async (stage) => {
  const chat = await startChat(stage);
  const ada = await enter(chat, "Ada", "lobby");
  const bob = await connect(chat, "Bob");
  const { epoch, offset } = await bob.request({ type: "join_room", room: "lobby", history: true });
  assert.equal(namesIn((await ada.frame("presence")).members).length, 1);
  assert.deepEqual(namesIn((await ada.frame("presence")).joined), ["Bob"]);
  bob.close(4000);
  await bob.closed;
  for (const id of ["m1", "m2"]) await ada.request(message(id, "lobby", id));

  const again = await connect(chat, "Bob");
  const history = { epoch, offset };
  const back = await again.request({ type: "join_room", room: "lobby", history });
  assert.deepEqual([back.type, back.recovered], ["ack", true]);
  for (const id of ["m1", "m2"]) {
    assert.partialDeepStrictEqual(await again.message(), { id, text: id });
  }
  // Nobody was told that it had been away.
  again.close();
  assert.partialDeepStrictEqual(await ada.frame("presence"), { left: [{ user_id: "user-Bob" }] });
});

stageTest("chat: a message sent again is stored once, a bad one not at all", async (stage) => {
  const chat = await startChat(stage);
  const ada = await enter(chat, "Ada", "lobby");
  const first = await ada.request(message("same", "lobby", "Once"));
  const second = await ada.request(message("same", "lobby", "Twice"));
  assert.deepEqual(second.data, first.data);
  assert.partialDeepStrictEqual(await ada.message(), { id: "same", text: "Once" });

  for (const text of ["", "   ", "x".repeat(2001), 7, null, { a: 1 }, undefined]) {
    const answer = await ada.request(message("bad", "lobby", text));
    assert.equal(answer.type, "error", JSON.stringify(text));
  }
  for (const id of ["", "x".repeat(65), null]) {
    const answer = await ada.request(message(id, "lobby", "No id"));
    assert.equal(answer.type, "error", JSON.stringify(id));
  }
  const more = { ...message("m3", "lobby", "Hi").data as Frame, author: "Bob" };
  const refused = await ada.request({ type: "message", data: more });
  assert.deepEqual([refused.code, refused.details], ["validation_failed", [
    { path: "author", message: "unknown field" },
  ]]);
  // Nobody speaks in a room without being there, and who tries is told.
  const elsewhere = await ada.request(message("m2", "kitchen", "Hi"));
  assert.deepEqual([elsewhere.type, elsewhere.code], ["error", "rejected"]);
  const stored = (await history(chat, "lobby")).map(({ id, text }) => [id, text]);
  assert.deepEqual(stored, [["same", "Once"]]);
  assert.deepEqual(await history(chat, "kitchen"), []);
  assert.equal(ada.waiting, 0);
});

stageTest("chat: a name is what the address says, within bounds", async (stage) => {
  const chat = await startChat(stage);
  const ada = await enter(chat, "Ada", "lobby");
  await ada.frame("presence");
  for (const [query, name] of [["", "guest"], [`?name=${"x".repeat(50)}`, "x".repeat(40)]]) {
    const other = await WebClient.open(`ws://localhost:${chat.port}/ws${query}`);
    await other.request({ type: "join_room", room: "lobby" });
    assert.deepEqual(namesIn((await ada.frame("presence")).joined), [name]);
    await other.request(message(`of ${name}`, "lobby", "Hello"));
    assert.partialDeepStrictEqual(await ada.message(), { author: name });
    await other.request({ type: "leave_room", room: "lobby" });
    assert.equal(((await ada.frame("presence")).left as Frame[]).length, 1);
  }
});

stageTest("chat: an order that is posted reaches every client", async (stage) => {
  const chat = await startChat(stage);
  const clients = [await enter(chat, "Ada", "lobby"), await enter(chat, "Bob", "kitchen")];
  const orders = `http://localhost:${chat.port}/orders`;
  for (const status of ["packed", "sent"]) {
    const answer = await post(orders, { id: "A17", status });
    assert.equal(answer.status, 200);
    const stored = await answer.json();
    assert.partialDeepStrictEqual(stored, { id: "A17", status });
    for (const client of clients) {
      assert.deepEqual(await client.message(), { kind: "order", ...stored });
    }
  }
  for (const body of [{}, { id: "A18" }, { id: "", status: "sent" }, [], "text", null]) {
    const answer = await post(orders, body);
    assert.ok(answer.status >= 400, JSON.stringify(body));
    await answer.body?.cancel();
  }
  const known = await (await fetch(orders)).json() as readonly Frame[];
  assert.deepEqual(known.map(({ id, status }) => [id, status]), [["A17", "sent"]]);
  assert.deepEqual(clients.map(({ waiting }) => waiting), [0, 0]);
});

stageTest("chat: the page is served, and nothing beside it", async (stage) => {
  const chat = await startChat(stage);
  for (const [path, type] of Object.entries(PAGE)) {
    const response = await fetch(`http://localhost:${chat.port}/${path}`);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get("content-type")?.split(";")[0], type, path);
    const file = await readFile(join(example, "public", path || "index.html"), "utf8");
    assert.equal(await response.text(), file, path);
  }
  for (const target of OUTSIDE) {
    const client = await SocketClient.connect(chat.port);
    client.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const { status, body } = await client.response();
    assert.ok(status >= 400 && status < 500, `${target}: ${status}`);
    assert.doesNotMatch(body, /connector|CREATE TABLE|SQLite/, target);
    client.destroy();
  }
});

/** The page's files and their types. */
const PAGE = {
  "": "text/html",
  "chat.js": "text/javascript",
  "log.js": "text/javascript",
  "message.js": "text/javascript",
  "orders.js": "text/javascript",
  "page.js": "text/javascript",
  "people.js": "text/javascript",
  "rooms.js": "text/javascript",
  "design.css": "text/css",
  "chat.css": "text/css",
  "favicon.svg": "image/svg+xml",
};

/** Request targets that would be files beside the page's folder, or none at all. */
const OUTSIDE = [
  "/../chat.hcl",
  "/%2e%2e/chat.hcl",
  "/..%2fchat.hcl",
  "/%2e%2e%2fchat.hcl",
  "/%252e%252e/chat.hcl",
  "/..%5cchat.hcl",
  "/..\\chat.hcl",
  "/chat.js/../../chat.hcl",
  "/chat.js/..%2f..%2fchat.hcl",
  "//chat.hcl",
  "/./../migrations/001_messages.sql",
  "/../data/chat.db",
  "http://localhost/../chat.hcl",
  "/chat.hcl",
  "/%00",
  "/%zz",
];

function startChat(stage: Stage): Promise<Weir> {
  const env = { CHAT_DB: join(stage.folder, "chat.db") };
  return stage.run([example, "--port", "ws=0"], { env });
}

function connect(chat: Weir, user: string): Promise<WebClient> {
  return WebClient.open(`ws://localhost:${chat.port}/ws?user_id=user-${user}&name=${user}`);
}

async function enter(chat: Weir, user: string, room: string): Promise<WebClient> {
  const client = await connect(chat, user);
  await client.request({ type: "join_room", room, presence: true });
  return client;
}

/** The names of the members that a presence frame has. */
function namesIn(members: unknown): unknown[] {
  return (members as { readonly info: Frame }[]).map(({ info }) => info.name);
}

async function history(chat: Weir, room: string): Promise<readonly Frame[]> {
  const response = await fetch(`http://localhost:${chat.port}/rooms/${room}/messages`);
  assert.equal(response.status, 200);
  return await response.json() as readonly Frame[];
}

function message(id: unknown, room: string, text: unknown): Frame {
  return { type: "message", data: { id, room, text } };
}
