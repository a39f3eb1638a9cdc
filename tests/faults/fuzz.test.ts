/** A fuzzer with a fixed seed: the server outlives everything that it sends, and keeps nothing of it. */
import assert from "node:assert/strict";
import type { Weir } from "../support/process.ts";
import type { Random } from "../support/random.ts";
import { handshakeText } from "../support/socket-client.ts";
import { pause } from "../support/socket-probe.ts";
import { FrameClient } from "./client.ts";
import { body, noise, packet, request } from "./fuzz/bytes.ts";
import { fuzzConfig } from "./fuzz/config.ts";
import { fuzz } from "./fuzz/run.ts";

/** A good handshake. */
const OPENING = handshakeText("/ws?user_id=NOTE");

/** Sends things until the time is over, on one connection after the other. */
async function attack(weir: Weir, random: Random, until: number): Promise<number> {
  const api = new URL("/notes", weir.addresses.find((address) => address.startsWith("http")));
  let sent = 0;
  while (performance.now() < until) {
    sent++;
    if (random.chance(0.2)) {
      const headers = { "content-type": random.pick(["application/json", "text/plain", "x"]) };
      const response = await fetch(api, { method: "POST", headers, body: body(random) });
      await response.body?.cancel();
      assert.ok(response.status < 504, `${response.status}`);
      continue;
    }
    const client = await FrameClient.connect(weir.port);
    // What comes back is drained; the server's frames are judged elsewhere.
    client.socket.resume();
    if (random.chance(0.2)) client.write(request(random));
    else if (random.chance(0.1)) client.write(noise(random, 500));
    else client.write(OPENING);
    for (let i = random.below(20); i > 0 && !client.ended; i--) {
      const bytes = packet(random);
      if (random.chance(0.1)) await client.drip(bytes, 1 + random.below(bytes.length));
      else client.write(bytes);
      sent++;
      if (random.chance(0.3)) await pause(random.below(5));
    }
    // The answers may be on their way.
    if (random.chance(0.5)) await Promise.race([client.gone, pause(20)]);
    // Node cannot reset a socket that is about to end, and then keeps it for ever.
    if (random.chance(0.5) && !client.ended) client.reset();
    else client.destroy();
  }
  return sent;
}

fuzz("a fuzzer with a fixed seed → no crash, nothing kept", {
  config: fuzzConfig('max_message_size = "16KB"\n ping_interval = "2s"\n pong_timeout = "1s"'),
  short: 5_000,
  least: 1_000,
  attack,
});
