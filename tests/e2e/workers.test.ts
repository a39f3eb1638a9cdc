/** `--workers`: several processes that are one service. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { until } from "../support/mq.ts";
import { type Stage, stageTest, type Weir } from "../support/process.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient, rowsOf } from "../support/talk.ts";
import { childrenOf, gone, ownersOf } from "../support/workers.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };
const USERS = ["anna", "bob"];

/** A service of two workers. */
interface Team {
  readonly weir: Weir;
  readonly database: string;
  /** Calls the REST connector; gives what it answers. */
  post(path: string, body?: unknown): Promise<unknown>;
}

async function startTeam(stage: Stage, env: Readonly<Record<string, string>> = {}): Promise<Team> {
  const folder = await stage.copy("workers");
  const weir = await stage.run([folder, "--workers", "2"], { env, leader: true });
  const address = weir.addresses.find((address) => address.startsWith("http"));
  const post = async (path: string, body: unknown = {}): Promise<unknown> => {
    const response = await fetch(`${address}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  };
  return { weir, database: join(folder, "data/workers.db"), post };
}

/** Clients, some of them on each of two workers; one that has been replaced may still be starting. */
async function openCrowd({ weir }: Team, count: number): Promise<{
  readonly clients: SocketClient[];
  readonly owners: readonly number[];
}> {
  for (let tries = 0; tries < 100; tries++) {
    const clients = await Promise.all(
      Array.from({ length: count }, (_, index) => openClient(weir, { user: USERS[index % 2] })),
    );
    const owners = await ownersOf(await childrenOf(weir.pid), clients);
    if (new Set(owners).size === 2) return { clients, owners };
    for (const client of clients) client.destroy();
    await pause(50);
  }
  throw new Error("all clients are always on one worker");
}

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
    for (const socket of clients) {
      const ids = (await socket.hearMany(each + 1)).map(({ type, id }) => [type, id]);
      const wanted = [...Array.from({ length: each }, (_, n) => ["ack", n]), ["ack", "once"]];
      assert.deepEqual(ids, wanted);
    }
    assert.equal(rowsOf(team.database, "notes").length, clients.length * each);
    assert.equal(rowsOf(team.database, "once").length, 1);

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

stageTest("a worker that dies is replaced, and the others notice nothing", async (stage) => {
  const team = await startTeam(stage);
  const messages = Array.from({ length: 200 }, (_, n) => ({ text: n }));
  const ticks = () => rowsOf(team.database, "ticks").length;
  // The leader last: what is done once for all goes on without it.
  for (const victim of (await childrenOf(team.weir.pid)).reverse()) {
    const { clients, owners } = await openCrowd(team, 16);
    const stays = clients.filter((_, index) => owners[index] !== victim);
    const [speaker, ...listeners] = [...stays, await openClient(team.weir)];
    process.kill(victim, "SIGKILL");
    for (const { text } of messages) {
      speaker.say({ type: "message", data: { to: "everyone", text } });
      if (text % 20 === 0) await pause(20);
    }
    for (const client of listeners.slice(0, -1)) {
      assert.deepEqual((await client.hearMany(200)).map(({ data }) => data), messages);
    }
    await until("there are two again", async () => {
      const now = await childrenOf(team.weir.pid);
      return now.length === 2 && !now.includes(victim);
    });
    const before = ticks();
    await until("the schedule goes on", () => ticks() > before);
    for (const client of clients) client.destroy();
  }
  await openCrowd(team, 16);
  assert.match(team.weir.stderr, /worker 2 has ended \(signal SIGKILL\)/);
  assert.match(team.weir.stderr, /worker 1 has ended \(signal SIGKILL\)/);
  team.weir.signal("SIGTERM");
  assert.equal((await team.weir.ended()).code, 0, team.weir.output);
});

stageTest("workers end when who has started them is killed", async (stage) => {
  const { weir } = await startTeam(stage);
  const client = await openClient(weir);
  const workers = await childrenOf(weir.pid);
  process.kill(weir.pid, "SIGKILL");
  assert.deepEqual(await client.ending(), goodbye);
  await Promise.all(workers.map(gone));
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

stageTest("what several workers cannot have is refused before any starts", async (stage) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "0.0.0.0", resolve));
  try {
    const { port } = taken.address() as AddressInfo;
    const folder = await stage.copy("workers");
    const exit = await stage.weir(["run", folder, "--workers", "2", "--port", `ws=${port}`]);
    assert.deepEqual([exit.code, exit.stdout], [3, ""]);
    assert.match(exit.stderr, /connector "ws": cannot listen on 0\.0\.0\.0:\d+: the port is taken/);
  } finally {
    taken.close();
  }
  const file = join(stage.folder, "memory.hcl");
  const database = 'type = "database"\n driver = "sqlite"\n database = ":memory:"';
  await writeFile(file, `connector "db" {\n ${database}\n}\n`);
  const exit = await stage.weir(["run", file, "--workers", "2"]);
  assert.deepEqual([exit.code, exit.stdout], [3, ""]);
  assert.match(exit.stderr, /connector "db": with several workers, each of them would have a data/);
  const alone = await stage.weir(["--worker"]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /run has no option --worker; did you mean "--workers"/);
});
