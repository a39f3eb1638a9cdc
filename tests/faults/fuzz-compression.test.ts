/** A fuzzer that has negotiated compression, with a fixed seed. */
import type { Weir } from "../support/process.ts";
import type { Random } from "../support/random.ts";
import { handshakeText } from "../support/socket-client.ts";
import { pause } from "../support/socket-probe.ts";
import { FrameClient } from "./client.ts";
import { compressedPackets } from "./fuzz/compressed.ts";
import { fuzzConfig } from "./fuzz/config.ts";
import { fuzz } from "./fuzz/run.ts";

const OFFERS = [
  "permessage-deflate; client_max_window_bits",
  "permessage-deflate",
  "permessage-deflate; client_max_window_bits=9; server_no_context_takeover",
];

/** Sends things until the time is over, on several connections at a time. */
async function attack(weir: Weir, random: Random, until: number): Promise<number> {
  let sent = 0;
  while (performance.now() < until) {
    const count = random.chance(0.1) ? 20 : 1 + random.below(3);
    const clients = await Promise.all(
      Array.from({ length: count }, () => FrameClient.connect(weir.port)),
    );
    for (const client of clients) {
      // What comes back is drained; some do not read.
      if (random.chance(0.9)) client.socket.resume();
      else client.socket.pause();
      const headers = { "Sec-WebSocket-Extensions": random.pick(OFFERS) };
      client.write(handshakeText("/ws?user_id=NOTE", { headers }));
    }
    for (let i = random.below(12); i > 0; i--) {
      for (const client of clients) {
        for (const bytes of compressedPackets(random)) {
          if (client.ended) break;
          if (random.chance(0.03)) await client.drip(bytes, 1 + random.below(bytes.length));
          else client.write(bytes);
          sent++;
          if (random.chance(0.3)) await pause(random.below(4));
        }
      }
    }
    if (random.chance(0.5)) await Promise.race([clients[0].gone, pause(20)]);
    for (const client of clients) {
      // Node cannot reset a socket that is about to end, and then keeps it for ever.
      if (random.chance(0.5) && !client.ended) client.reset();
      else client.destroy();
    }
  }
  return sent;
}

fuzz("a fuzzer with compression and a fixed seed → no crash, nothing kept", {
  config: fuzzConfig(`
    compression      = true
    max_message_size = "64KB"
    // A client that does nothing wrong shares its process with the attackers: its pongs may be late.
    ping_interval    = "4s"
    pong_timeout     = "3s"
  `),
  short: 3_000,
  least: 500,
  attack,
});
