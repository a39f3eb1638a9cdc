/** The pings that a server sends to an idle client. */
import assert from "node:assert/strict";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { opcodes } from "../support/socket-frames.ts";

/** When an idle client is pinged. */
export async function pingTimes(port: number, count: number): Promise<readonly number[]> {
  const client = await SocketClient.connect(port);
  client.write(handshakeText("/ws"));
  await client.upgraded();
  const times: number[] = [];
  while (times.length < count) {
    const { opcode, payload } = await client.frame();
    assert.equal(opcode, opcodes.ping);
    times.push(performance.now());
    client.send({ opcode: opcodes.pong, payload });
  }
  client.destroy();
  return times;
}
