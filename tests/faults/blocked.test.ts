/** A server whose event loop stands still. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flows, websocket } from "../support/socket-contract.ts";
import { pause, Probe } from "../support/socket-probe.ts";
import { parsers } from "./hosts.ts";
import { presence } from "./presence.ts";
import { Readers } from "./reader-thread.ts";

for (const host of parsers) {
  test(`${host.name}: event loop blocked for 15 s: no healthy client dropped`, async () => {
    const probe = new Probe();
    const config = websocket('ping_interval = "1s"\n pong_timeout = "1s"') + flows;
    const running = await host.start(config, { connectors: probe.connectors });
    const readers = await Readers.start({ port: running.port, count: 20, room: "all" });
    try {
      // All have been pinged, and most of them have a ping on its way.
      await pause(1_500);
      for (const end = performance.now() + 15_000; performance.now() < end;);
      await pause(3_000);
      const { problems, pings } = await readers.report();
      assert.deepEqual(problems, []);
      assert.ok(pings.every((count) => count >= 2), `${pings}`);
      assert.equal(presence(running.runtime).connections, 20);
      assert.deepEqual(probe.deliveries, []);
    } finally {
      await readers.leave();
      await running.close();
    }
  });
}
