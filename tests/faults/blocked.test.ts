/** A server whose event loop is blocked. */
import assert from "node:assert/strict";
import { flows, testHosts, websocket } from "../support/socket-contract.ts";
import { pause } from "../support/socket-probe.ts";
import { parsers } from "./hosts.ts";
import { Readers } from "./reader-thread.ts";
import { RemoteServer } from "./server/remote.ts";

testHosts(parsers, "event loop blocked for 15 s: no healthy client dropped", async (host) => {
  const config = websocket('ping_interval = "1s"\n pong_timeout = "1s"') + flows;
  const server = await RemoteServer.start(host, config);
  const readers = await Readers.start({ port: server.port, count: 20, room: "all" });
  try {
    // All have been pinged, and most of them have a ping on its way.
    await pause(1_500);
    await server.remote.block(15_000);
    await pause(3_000);
    const { problems, pings } = await readers.report();
    assert.deepEqual(problems, []);
    assert.ok(pings.every((count) => count >= 2), `${pings}`);
    assert.equal((await server.presence()).connections, 20);
    assert.deepEqual(await server.probe.deliveries(), []);
  } finally {
    await readers.leave();
    await server.close();
  }
});
