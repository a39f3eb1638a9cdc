/** `--workers`: a client that one of them refuses sees why, and takes no slot of the others. */
import assert from "node:assert/strict";
import { stageTest } from "../support/process.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { until } from "../support/socket-probe.ts";
import { openClient } from "../support/talk.ts";
import { openCrowd, startTeam } from "../support/team.ts";
import { childrenOf, ownersOf } from "../support/workers.ts";

const notice = {
  type: "error",
  message: "too many connections",
  code: "unavailable",
  retry_after_ms: 1_000,
};

stageTest("a client that no worker takes sees why, and takes no slot", async (stage) => {
  const team = await startTeam(stage, { MAX_CONNECTIONS: "20" });
  const { clients } = await openCrowd(team, 20);
  const refused = await Promise.all(Array.from({ length: 40 }, async () => {
    const client = await SocketClient.connect(team.weir.port);
    client.write(handshakeText("/ws", { headers: { "Sec-WebSocket-Protocol": "weir.1" } }));
    const { headers } = await client.upgraded();
    assert.equal(headers.get("sec-websocket-protocol"), "weir.1");
    assert.deepEqual(await client.hear(), notice);
    return client;
  }));
  // None of them has answered the close, and the one slot that is free is for somebody else.
  clients[0].close();
  await clients[0].finish();
  await until(
    "a free slot",
    () => openClient(team.weir).then((client) => clients.push(client) > 0, () => false),
  );
  await assert.rejects(openClient(team.weir), /503/);
  for (const client of refused) {
    assert.deepEqual(await client.ending(), { code: 4503, reason: "unavailable" });
  }
  const alive = clients.slice(1);
  assert.equal(new Set(await ownersOf(await childrenOf(team.weir.pid), alive)).size, 2);
  for (const client of [...alive, ...refused]) client.destroy();
  team.weir.signal("SIGTERM");
  assert.equal((await team.weir.ended()).code, 0, team.weir.output);
});
