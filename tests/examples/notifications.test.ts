/** The notifications, on every runtime. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root, type Stage, stageTest, type Weir } from "../support/process.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";

const example = join(root, "examples/notifications");

stageTest("notifications: who follows a topic is notified, nobody else", async (stage) => {
  const weir = await startNotifications(stage);
  const follower = await follow(weir, "deploys");
  const other = await follow(weir, "billing");
  const sent = { topic: "deploys", title: "Version 7 is out", level: "warning" };
  const stored = await notify(weir, sent);
  const seen = await follower.message() as Frame;
  assert.partialDeepStrictEqual(seen, { ...sent, text: "" });
  assert.deepEqual(stored, { ...seen, position: 1 });
  assert.equal(other.waiting, 0);
});

stageTest("notifications: a page that was away asks for what it missed", async (stage) => {
  const before = await startNotifications(stage);
  for (const title of ["one", "two", "three"]) await notify(before, { topic: "deploys", title });
  await notify(before, { topic: "billing", title: "other" });
  before.signal("SIGINT");
  assert.equal((await before.ended()).code, 0, before.output);

  const weir = await startNotifications(stage);
  const page = await follow(weir, "deploys");
  const all = await missed(page, { topic: "deploys" });
  assert.deepEqual(all.map(({ title }) => title), ["one", "two", "three"]);
  const rest = await missed(page, { topic: "deploys", after: all[0].id });
  assert.deepEqual(rest, all.slice(1));
  assert.deepEqual(await missed(page, { topic: "deploys", after: all[2].id }), []);
  assert.deepEqual(await missed(page, { topic: "deploys", after: "unknown" }), all);
});

stageTest("notifications: a topic's past is for those who follow it", async (stage) => {
  const weir = await startNotifications(stage);
  await notify(weir, { topic: "security", title: "A key has leaked" });
  const page = await follow(weir, "deploys");
  for (
    const [data, code] of [
      [{ topic: "security" }, "rejected"],
      [{}, "rejected"],
      [null, "rejected"],
      [{ topic: "deploys", after: 7 }, "validation_failed"],
      [{ topic: "deploys", limit: 1000 }, "validation_failed"],
    ] as const
  ) {
    const answer = await page.request({ type: "missed", data });
    assert.deepEqual([answer.type, answer.code], ["error", code], JSON.stringify(data));
  }
});

stageTest("notifications: one that is sent twice with a key is seen once", async (stage) => {
  const weir = await startNotifications(stage);
  const page = await follow(weir, "billing");
  const sent = { topic: "billing", title: "A card was refused", key: "card-77" };
  const first = await notify(weir, sent);
  assert.deepEqual(await notify(weir, sent), first);
  await notify(weir, { ...sent, key: "card-78" });
  for (let n = 0; n < 2; n++) await notify(weir, { topic: "billing", title: "No key" });
  const found = await missed(page, { topic: "billing" });
  assert.deepEqual(
    found.map(({ title }) => title),
    ["A card was refused", "A card was refused", "No key", "No key"],
  );
  assert.equal(page.waiting, 4);
});

stageTest("notifications: what is none is refused", async (stage) => {
  const weir = await startNotifications(stage);
  const page = await follow(weir, "deploys");
  const good = { topic: "deploys", title: "Good" };
  const wrong = [
    ...[{}, [], "text", null],
    ...[{ ...good, topic: "Not a topic" }, { ...good, topic: "" }],
    ...[{ ...good, title: " " }, { ...good, title: "x".repeat(121) }],
    ...[{ ...good, level: "loud" }, { ...good, id: "mine" }, { ...good, key: 7 }],
  ];
  for (const body of wrong) {
    const answer = await post(`${origin(weir)}/notifications`, body);
    assert.equal(answer.status, 422, JSON.stringify(body));
    await answer.body?.cancel();
  }
  assert.deepEqual(await missed(page, { topic: "deploys" }), []);
  assert.equal(page.waiting, 0);
});

function startNotifications(stage: Stage): Promise<Weir> {
  const env = { NOTIFICATIONS_DB: join(stage.folder, "notifications.db") };
  return stage.run([example, "--port", "ws=0"], { env });
}

async function follow(weir: Weir, topic: string): Promise<WebClient> {
  const page = await WebClient.open(`ws://localhost:${weir.port}/ws`);
  await page.request({ type: "join_room", room: topic });
  return page;
}

async function notify(weir: Weir, notification: Frame): Promise<Frame> {
  const answer = await post(`${origin(weir)}/notifications`, notification);
  assert.equal(answer.status, 201, JSON.stringify(notification));
  return await answer.json();
}

async function missed(page: WebClient, data: Frame): Promise<readonly Frame[]> {
  const answer = await page.request({ type: "missed", data });
  assert.equal(answer.type, "ack", JSON.stringify(answer));
  return (answer.data as { readonly notifications: readonly Frame[] }).notifications;
}

function origin({ port }: Weir): string {
  return `http://localhost:${port}`;
}
