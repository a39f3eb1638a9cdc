import assert from "node:assert/strict";
import { join } from "node:path";
import { openStage, root, runtimes, type Stage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { departures, startTalk } from "../support/talk.ts";

const client = join(root, "tests/e2e/python/page_client.py");

for (const runtime of runtimes) {
  const name = `Python's websockets speaks the published protocol, on ${runtime}`;
  await serviceTest("python-websockets", name, async () => {
    const stage = await openStage(runtime);
    try {
      await playPython(stage);
    } finally {
      await stage.end();
    }
  });
}

async function playPython(stage: Stage): Promise<void> {
  const talk = await startTalk(stage);
  const { port } = talk.weir;
  const python = stage.command("/usr/bin/python3", [client, `ws://127.0.0.1:${port}/ws`]);
  await python.says(/"waiting"/);
  talk.weir.signal("SIGTERM");
  const { code, stdout, stderr } = await python.ended();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal((await talk.weir.ended()).code, 0);

  const steps = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const message = (data: unknown, rest = {}) => ({ type: "message", data, ...rest });
  const own = { event: "message", own_client_id: true };
  const inRoom = (text: string) =>
    message({ to: "room", room: "orders", text }, { room: "orders" });
  const answer = (user: string, text: string) =>
    message({
      ...own,
      text,
      user_id: user,
      client_user_id: user,
      data: { to: "me", text },
    });
  const errors: readonly { readonly message: string }[] = steps[5].frames;
  const [notJson, unknown, noRoom] = errors.map((frame) => frame.message);
  assert.deepEqual(steps, [
    { step: "connect", subprotocol: null, extensions: [] },
    { step: "response", frame: answer("anna", "grün 🙂") },
    { step: "broadcast", frames: Array(2).fill(message({ to: "everyone", text: "hello" })) },
    { step: "room", frames: Array(2).fill(inRoom("for the room")) },
    {
      step: "after leaving",
      frames: [
        inRoom("for those who stay"),
        message({ to: "user", user: "bob", text: "for bob" }),
      ],
    },
    {
      step: "errors",
      frames: [
        { type: "error", code: "invalid_json", message: notJson },
        { type: "error", code: "unknown_type", message: unknown },
        { type: "error", code: "invalid_room", message: noRoom },
      ],
    },
    { step: "ping", answered: true },
    { step: "keepalive", frame: answer("anna", "still here"), own_pongs: true },
    { step: "close", code: 1000, reason: "" },
    { step: "waiting" },
    { step: "closed by the server", code: 1001, reason: "the server is shutting down" },
  ]);
  assert.match(unknown, /mesage.*message/);
  assert.deepEqual(departures(talk), [
    { user_id: "bob", rooms: "[]", code: 1000 },
    { user_id: "anna", rooms: '["orders"]', code: 1001 },
  ]);
}
