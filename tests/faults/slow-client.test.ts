/**
 * A client that stops reading, in a room of 200 at 500 messages a second: the others get everything
 * in time, and what is kept for it is bounded. With `WEIR_TEST_LONG=1` it goes on for a minute and
 * the bound of time is the exact one.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { websocket } from "../support/socket-contract.ts";
import type { Host } from "../support/socket-hosts.ts";
import { pause } from "../support/socket-probe.ts";
import { FrameClient } from "./client.ts";
import { parsers } from "./hosts.ts";
import { Readers } from "./reader-thread.ts";
import { RemoteServer } from "./server/remote.ts";
import { StreamClient } from "../support/stream-client.ts";
import { within } from "./within.ts";

const LONG = process.env.WEIR_TEST_LONG === "1";
const READERS = 199;
const PER_SECOND = 500;
/** How long the room is measured at a time, in milliseconds. */
const DURATION = LONG ? 5_000 : 400;
/** How often, in turns: the best of each way counts, since others use the machine, too. */
const ROUNDS = LONG ? 12 : 4;
/** A machine that is too busy to tell gets so many; what is slow by itself is slow in all of them. */
const MOST_ROUNDS = 2 * ROUNDS + 8;
/** How much longer the 99th percentile may be with a slow client. */
const RATIO = 1.5;
/** And what timers, and in the short form a busy machine, may cost on top, in milliseconds. */
const SLACK = LONG ? 2 : 30;

const FILLER = "x".repeat(64 * 1024);
const MB = 1024 * 1024;

function start(host: Host, policy: string): Promise<RemoteServer> {
  const attributes = `sse = "/events"\nslow_client {\n policy = "${policy}"\n }`;
  return RemoteServer.start(host, websocket(attributes));
}

/** How a client is connected that stops reading. */
type Kind = "socket" | "stream";

const NAMES: Readonly<Record<Kind, string>> = {
  socket: "client",
  stream: "client of a stream",
};

const CASES = [
  ["socket", "disconnect"],
  ["socket", "drop_oldest"],
  ["stream", "drop_oldest"],
] as const;

for (const [kind, policy] of CASES) {
  for (const host of parsers) {
    test(`${host.name}: a ${NAMES[kind]} that stops reading slows nobody down: ${policy}`, async () => {
      const server = await start(host, policy);
      const { port } = server;
      const readers = await Readers.start({ port, count: READERS, room: "all" });
      const clients: (FrameClient | StreamClient)[] = [];
      let sent = 0;
      const measure = async (): Promise<number> => {
        const count = await server.remote.talkFor("all", PER_SECOND, DURATION, sent);
        sent += count;
        let report = await readers.report();
        const { p99 } = report;
        const late = () => report.received.filter((received) => received !== sent).length;
        for (let tries = 0; late() > 0 && tries < 100; tries++) {
          await pause(100);
          report = await readers.report();
        }
        assert.equal(late(), 0, "some readers miss something");
        assert.deepEqual(report.problems, []);
        return p99;
      };
      try {
        await measure();
        const times: number[][] = [[], []];
        const best = () => times.map((several) => Math.min(...several));
        const holds = () => best()[1] <= best()[0] * RATIO + SLACK;
        for (let round = 0; round < ROUNDS || (!holds() && round < MOST_ROUNDS); round++) {
          times[0].push(await measure());
          const slow = await stop(server, kind);
          clients.push(slow);
          times[1].push(await measure());
          const { connections, dropped } = (await server.counts()).ws;
          assert.deepEqual(
            policy === "disconnect" ? connections : [connections, dropped > 0],
            policy === "disconnect" ? READERS : [READERS + 1, true],
          );
          slow.destroy();
          await within("clients", async () => (await server.presence()).connections, READERS);
        }
        const [without, slowed] = best();
        assert.ok(
          holds(),
          `the 99th percentile is ${slowed} ms, and ${without} ms without a slow client`,
        );
      } finally {
        for (const client of clients) client.destroy();
        await readers.leave();
        await server.close();
      }
    });
  }
}

const KINDS_AND_HOSTS = (["socket", "stream"] as const)
  .flatMap((kind) => parsers.map((host) => [kind, host] as const));

for (const [kind, host] of KINDS_AND_HOSTS) {
  test(`${host.name}: what is kept for a ${NAMES[kind]} that stops reading is bounded`, async () => {
    const server = await start(host, "drop_oldest");
    const client = await stop(server, kind);
    try {
      const flood = (megabytes: number) => server.remote.flood("slow", FILLER, megabytes * 16);
      // What the engine itself takes for so much that comes and goes.
      await flood(200);
      const before = await server.memory(true);
      const { dropped } = (await server.counts()).ws;
      await flood(LONG ? 5_000 : 400);
      const after = await server.memory(true);
      const lost = (await server.counts()).ws.dropped - dropped;
      assert.equal(lost, (LONG ? 5_000 : 400) * 16);
      const held = `${after.heap} of heap and ${after.external} of other bytes are held`;
      const found = `${held}, after ${before.heap} and ${before.external}`;
      assert.ok(after.heap + after.external < before.heap + before.external + 16 * MB, found);
    } finally {
      client.destroy();
      await server.close();
    }
  });
}

/** A member of the room that has stopped reading: neither the kernel nor its queue takes any more. */
async function stop(server: RemoteServer, kind: Kind): Promise<FrameClient | StreamClient> {
  const client = await (kind === "socket" ? socketIn(server) : streamIn(server));
  client.socket.pause();
  const full = async (): Promise<number> => {
    const { dropped, closed_slow } = (await server.counts()).ws;
    return dropped + closed_slow;
  };
  const before = await full();
  for (let n = 0; await full() === before; n++) {
    assert.ok(n < 1_000, "no client was slow");
    await server.remote.flood("slow", FILLER, 1);
  }
  return client;
}

async function socketIn(server: RemoteServer): Promise<FrameClient> {
  const client = await FrameClient.connect(server.port);
  await client.open(`${server.host.mount}/ws?user_id=slow`);
  client.say({ type: "join_room", room: "all", id: 1 });
  await client.hear();
  return client;
}

async function streamIn(server: RemoteServer): Promise<StreamClient> {
  const target = `${server.host.mount}/events?user_id=slow&room=all`;
  const client = await StreamClient.send(server.port, target);
  assert.equal((await client.head()).status, 200);
  return client;
}
