/** `--workers`: several processes that are one service. */
import assert from "node:assert/strict";
import { until } from "../support/mq.ts";
import { stageTest } from "../support/process.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { openClient, rowsOf } from "../support/talk.ts";
import { openCrowd, startTeam } from "../support/team.ts";
import { childrenOf, gone, ownersOf } from "../support/workers.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };
stageTest("what is sent reaches clients of all workers, and is done to them", async (stage) => {
  const team = await startTeam(stage);
  const { clients } = await openCrowd(team, 20);
  const annas = clients.filter((_, index) => index % 2 === 0);
  const bobs = clients.filter((_, index) => index % 2 === 1);
  const hear = async (group: readonly SocketClient[], message: unknown): Promise<void> => {
    for (const client of group) assert.deepEqual(await client.hear(), message);
  };

  clients[0].say({ type: "message", data: { to: "everyone", text: "hello" } });
  await hear(clients.slice(1), { type: "message", data: { text: "hello" } });

  assert.deepEqual(await team.post("/join/kitchen/anna"), { recipients: 10 });
  assert.deepEqual(await team.post("/room/kitchen", { text: "tea" }), { recipients: 10 });
  await hear(annas, { type: "message", data: { text: "tea" }, room: "kitchen" });

  for (const client of bobs) client.say({ type: "join_room", room: "kitchen", id: 1 });
  await hear(bobs, { type: "ack", id: 1 });
  clients[1].say({ type: "message", data: { to: "room", room: "kitchen", text: "not for bob" } });
  await hear(annas, { type: "message", data: { text: "not for bob" }, room: "kitchen" });

  assert.deepEqual(await team.post("/leave/kitchen/bob"), { recipients: 10 });
  assert.deepEqual(await team.post("/room/kitchen", { text: "still here" }), { recipients: 10 });
  await hear(annas, { type: "message", data: { text: "still here" }, room: "kitchen" });

  assert.deepEqual(await team.post("/user/bob", { text: "hi bob" }), { recipients: 10 });
  await hear(bobs, { type: "message", data: { text: "hi bob" } });

  for (const client of clients) {
    const { data } = await client.ask({ type: "message", data: { to: "who" } }) as {
      readonly data: { readonly id: string };
    };
    assert.deepEqual(await team.post(`/client/${data.id}`, { text: "you" }), { recipients: 1 });
    await hear([client], { type: "message", data: { text: "you" } });
  }

  assert.deepEqual(await team.post("/disconnect/bob"), { recipients: 10 });
  for (const client of bobs) assert.equal((await client.ending()).code, 1008);
  assert.deepEqual(await team.post("/user/bob", { text: "gone" }), { recipients: 0 });
  assert.deepEqual(await team.post("/user/anna", { text: "there" }), { recipients: 10 });
  await hear(annas, { type: "message", data: { text: "there" } });

  team.weir.signal("SIGINT");
  for (const client of annas) assert.deepEqual(await client.ending(), goodbye);
  assert.equal((await team.weir.ended()).code, 0, team.weir.output);
  assert.match(
    team.weir.stdout,
    /^weir is ready in .* with 2 workers: .*\nweir is shutting down\n$/,
  );
});

stageTest(
  "all workers write to one database, schedules fire once, keys are shared",
  async (stage) => {
    const team = await startTeam(stage);
    const { clients } = await openCrowd(team, 40);
    const each = 50;
    for (const [client, socket] of clients.entries()) {
      socket.say(...Array.from({ length: each }, (_, n) => (
        { type: "message", id: n, data: { to: "notes", text: `${client}.${n}` } }
      )));
      socket.say({ type: "message", id: "once", data: { to: "once", text: "the only one" } });
    }
    const answers = new Set<string>();
    for (const socket of clients) {
      const acks = await socket.hearMany(each + 1);
      const ids = acks.map(({ type, id }) => [type, id]);
      answers.add(JSON.stringify(acks.at(-1)?.data));
      const wanted = [...Array.from({ length: each }, (_, n) => ["ack", n]), ["ack", "once"]];
      assert.deepEqual(ids, wanted);
    }
    assert.equal(rowsOf(team.database, "notes").length, clients.length * each);
    assert.equal(rowsOf(team.database, "once").length, 1);
    // Everybody gets the answer of the first, whichever worker serves them.
    assert.match([...answers].join(), /^\{"answer":"[0-9a-f-]{36}"\}$/);

    await until("two ticks", () => rowsOf(team.database, "ticks").length >= 2);
    const times = rowsOf(team.database, "ticks").map(({ scheduled_at }) => String(scheduled_at));
    assert.equal(new Set(times.map((time) => time.slice(0, 19))).size, times.length, times.join());

    // Nobody was refused, made to wait for ever, or told of a lock.
    assert.doesNotMatch(team.weir.stderr, /locked|busy|error/i);
  },
);

stageTest("max_connections is for all workers together", async (stage) => {
  const team = await startTeam(stage, { MAX_CONNECTIONS: "20" });
  const { clients, owners } = await openCrowd(team, 20);
  await assert.rejects(openClient(team.weir), /503/);
  const open = (): Promise<boolean> =>
    openClient(team.weir).then((client) => clients.push(client) > 0, () => false);
  clients[0].close();
  await clients[0].finish();
  await until("a seat is free", open);
  await assert.rejects(openClient(team.weir), /503/);

  // The seats of a worker that dies are free again.
  const [, victim] = owners;
  process.kill(victim, "SIGKILL");
  await gone(victim);
  for (const owner of owners.slice(1)) {
    if (owner === victim) await until("a seat of the dead one is free", open);
  }
});

stageTest("1000 connections are spread evenly", async (stage) => {
  const { weir } = await startTeam(stage);
  const clients: SocketClient[] = [];
  while (clients.length < 1000) {
    clients.push(...await Promise.all(Array.from({ length: 50 }, () => openClient(weir))));
  }
  const owners = await ownersOf(await childrenOf(weir.pid), clients);
  const first = owners.filter((owner) => owner === owners[0]).length;
  assert.ok(first >= 400 && first <= 600, `${first} of 1000 are on one of two workers`);
  for (const client of clients) client.destroy();
});
