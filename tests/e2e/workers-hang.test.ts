/** `--workers` where a process stands still: what the others do meanwhile, and what becomes of it. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { until } from "../support/mq.ts";
import { onAllRuntimes, type Stage } from "../support/process.ts";
import { openCrowd, startTeam } from "../support/team.ts";
import { childrenOf } from "../support/workers.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };
function ackOf(id: number) {
  return { type: "ack", id };
}

async function hanging(stage: Stage): Promise<void> {
  const team = await startTeam(stage);
  const { clients, owners } = await openCrowd(team, 8);
  // The one with fewer clients, so that the other has two at least.
  const victim = owners.find((owner) =>
    owners.filter((other) => other === owner).length <= owners.length / 2
  );
  assert.ok(victim !== undefined);
  const [speaker, listener] = clients.filter((_, index) => owners[index] !== victim);
  const member = clients[owners.indexOf(victim)];
  assert.deepEqual(await member.ask({ type: "join_room", room: "stuck", id: 1 }), ackOf(1));
  process.kill(victim, "SIGSTOP");
  const startedAt = performance.now();

  // 30 MB: far more than may wait for it.
  const text = "x".repeat(100_000);
  const count = 300;
  for (let id = 0; id < count; id++) {
    speaker.say({ type: "message", id, data: { to: "room", room: "stuck", text } });
  }
  for (let id = 0; id < count; id++) assert.deepEqual(await speaker.hear(), ackOf(id));
  assert.match(
    team.weir.stderr,
    /worker \d does not read what the others send; leaving messages out/,
  );
  const found = /has not responded for 10 seconds/;
  assert.doesNotMatch(team.weir.stderr, found, "who sends does not wait for its end");
  await until("it is found out", () => found.test(team.weir.stderr), 20_000);
  assert.ok(performance.now() - startedAt > 8_000);
  speaker.say({ type: "message", data: { to: "everyone", text: "it goes on" } });
  assert.deepEqual(await listener.hear(), { type: "message", data: { text: "it goes on" } });
  await until("its end", () => /worker \d ended \(signal SIGKILL\)/.test(team.weir.stderr));
  for (const client of clients) client.destroy();
  await openCrowd(team, 8);
  team.weir.signal("SIGTERM");
  assert.equal((await team.weir.ended()).code, 0, team.weir.output);
}

test("a worker that hangs is replaced; who sends waits for it for two seconds at most", async () => {
  await onAllRuntimes(hanging);
});

async function ending(stage: Stage): Promise<void> {
  const file = join(stage.folder, "short.hcl");
  await writeFile(
    file,
    'service {\n shutdown_timeout = "1s"\n}\nconnector "ws" {\n type = "websocket"\n port = 0\n}\n',
  );
  const weir = await stage.run([file, "--workers", "2"]);
  const { clients, owners } = await openCrowd({ weir }, 8);
  const victim = owners[0];
  process.kill(victim, "SIGSTOP");
  const startedAt = performance.now();
  weir.signal("SIGTERM");
  for (const [index, client] of clients.entries()) {
    if (owners[index] !== victim) assert.deepEqual(await client.ending(), goodbye);
  }
  const { code } = await weir.ended(15_000);
  assert.equal(code, 0);
  assert.ok(performance.now() - startedAt < 8_000);
  assert.deepEqual(await childrenOf(weir.pid), []);
}

test("a worker that hangs keeps nobody from ending, and ends with the others", async () => {
  await onAllRuntimes(ending);
});
