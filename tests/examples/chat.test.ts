/** The chat, on every runtime. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root, type Stage, stageTest, type Weir } from "../support/process.ts";
import { SocketClient } from "../support/socket-client.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";

const example = join(root, "examples/chat");

stageTest("chat: what is said in a room is heard there, and found after a restart", async (stage) => {
  {
    {
    const { weir, enter, history } = await startChat(stage);
      const ada = await enter("Ada", "lobby");
      const bob = await enter("Bob", "lobby");
      const cyd = await enter("Cyd", "kitchen");
      assert.partialDeepStrictEqual(await ada.message(), { kind: "joined", name: "Bob" });

      const said = await ada.request(message("m1", "lobby", " <b>Hello</b> ' \\ 🙂 "));
      const heard = await bob.message() as Frame;
      const text = "<b>Hello</b> ' \\ 🙂";
      assert.partialDeepStrictEqual(heard, { kind: "message", id: "m1", author: "Ada", text });
      assert.deepEqual(said.data, { created_at: heard.created_at });

      await bob.request(message("m2", "lobby", "Hi Ada"));
      assert.partialDeepStrictEqual(await ada.message(), { text: "Hi Ada", author: "Bob" });
      assert.equal(cyd.waiting, 0);
      assert.deepEqual((await history("lobby")).map(({ id }) => id), ["m1", "m2"]);

      assert.equal(await program.interrupt(), 0, program.output);
      const codes = await Promise.all([ada, bob, cyd].map((client) => client.closed));
      assert.deepEqual(codes, [1001, 1001, 1001]);
    });

    await withChat(stage, async ({ enter, history }) => {
      const texts = (await history("lobby")).map(({ author, text }) => `${author}: ${text}`);
      assert.deepEqual(texts, ["Ada: <b>Hello</b> ' \\ 🙂", "Bob: Hi Ada"]);
      assert.deepEqual(await history("kitchen"), []);

      const ada = await enter("Ada", "lobby");
      for (let index = 0; index < 60; index++) {
        await ada.request(message(`n${index}`, "lobby", `${index}`));
      }
      const last = (await history("lobby")).map(({ text }) => text);
      assert.deepEqual(last, Array.from({ length: 50 }, (_, index) => `${index + 10}`));
    });
  });
});

stageTest("chat: who comes and goes is told, and greeted by name", async (stage) => {
  await withFolder((folder) =>
    withChat(stage, async ({ enter, port }) => {
      const ada = await enter("Ada", "lobby");
      const bob = await Client.open(`ws://localhost:${port}/ws?user_id=Bob`);
      const { data } = await bob.request({ type: "join_room", room: "lobby" });
      const { who } = data as Frame;
      assert.deepEqual(await ada.message(), { kind: "joined", who, name: "Bob" });

      await ada.request({ type: "here", data: { to: "Bob", room: "lobby" } });
      const here = await bob.message();
      assert.partialDeepStrictEqual(here, { kind: "here", room: "lobby", name: "Ada" });

      await bob.request({ type: "leave_room", room: "lobby" });
      assert.deepEqual(await ada.message(), { kind: "left", who, name: "Bob" });
      await bob.request({ type: "join_room", room: "lobby" });
      assert.deepEqual(await ada.message(), { kind: "joined", who, name: "Bob" });
      bob.close();
      assert.deepEqual(await ada.message(), { kind: "left", who, name: "Bob" });
    })
  );
});

stageTest("chat: a message that is sent again is stored once, a bad one not at all", async (stage) => {
  await withFolder((folder) =>
    withChat(stage, async ({ enter, history }) => {
      const ada = await enter("Ada", "lobby");
      const first = await ada.request(message("same", "lobby", "Once"));
      const second = await ada.request(message("same", "lobby", "Twice"));
      assert.deepEqual(second.data, first.data);

      for (const text of ["", "   ", "x".repeat(2001), 7, null, { a: 1 }, undefined]) {
        const answer = await ada.request(message("bad", "lobby", text));
        assert.equal(answer.type, "error", JSON.stringify(text));
      }
      for (const id of ["", "x".repeat(65), null]) {
        const answer = await ada.request(message(id, "lobby", "No id"));
        assert.equal(answer.type, "error", JSON.stringify(id));
      }
      // Nobody speaks in a room without being there.
      assert.equal((await ada.request(message("m2", "kitchen", "Hi"))).data, undefined);
      const stored = (await history("lobby")).map(({ id, text }) => [id, text]);
      assert.deepEqual(stored, [["same", "Once"]]);
      assert.deepEqual(await history("kitchen"), []);
    })
  );
});

stageTest("chat: an order that is posted reaches every client", async (stage) => {
  await withFolder((folder) =>
    withChat(stage, async ({ enter, port }) => {
      const clients = [await enter("Ada", "lobby"), await enter("Bob", "kitchen")];
      const orders = `http://localhost:${port}/orders`;
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
    })
  );
});

stageTest("chat: the page is served, and nothing beside it", async (stage) => {
  await withFolder((folder) =>
    withChat(stage, async ({ port }) => {
      const types = {
        "": "text/html",
        "chat.js": "text/javascript",
        "connection.js": "text/javascript",
        "chat.css": "text/css",
        "favicon.svg": "image/svg+xml",
      };
      const pages = new URL("../../examples/chat/public/", import.meta.url);
      for (const [path, type] of Object.entries(types)) {
        const response = await fetch(`http://localhost:${port}/${path}`);
        assert.equal(response.status, 200, path);
        assert.equal(response.headers.get("content-type")?.split(";")[0], type, path);
        const file = await readFile(new URL(path || "index.html", pages), "utf8");
        assert.equal(await response.text(), file, path);
      }
      for (const target of OUTSIDE) {
        const response = await rawGet(port, target);
        assert.match(response, /^HTTP\/1\.1 4\d\d /, target);
        assert.doesNotMatch(response, /connector|CREATE TABLE/, target);
      }
    })
  );
});

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
  "http://localhost/../chat.hcl",
  "/chat.hcl",
  "/%00",
  "/%zz",
];

function message(id: unknown, room: string, text: unknown): Frame {
  return { type: "message", data: { id, room, text } };
}

async function withChat(
  tool: Tool,
  folder: string,
  run: (chat: Chat) => Promise<void>,
): Promise<void> {
  const database = join(folder, "chat.db");
  const program = await Program.start(tool, weirRun(tool, "examples/chat"), { CHAT_DB: database });
  try {
    const port = await program.port();
    await run({
      program,
      port,
      async enter(user, room) {
        const client = await Client.open(`ws://localhost:${port}/ws?user_id=${user}`);
        await client.request({ type: "join_room", room });
        return client;
      },
      async history(room) {
        const response = await fetch(`http://localhost:${port}/rooms/${room}/messages`);
        assert.equal(response.status, 200);
        return await response.json() as readonly Frame[];
      },
    });
  } finally {
    await program.kill();
  }
}
