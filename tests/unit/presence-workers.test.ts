/** Presence over the workers of one machine. */
import { test } from "node:test";
import { playPresence, PRESENCE_BLOCKS, PRESENCE_ROOM } from "../support/presence-play.ts";
import { withWorkers } from "../support/worker-runtimes.ts";

const CONFIG = `
  connector "ws" {
    type = "websocket"
    port = 0
    ${PRESENCE_ROOM}
  }
  ${PRESENCE_BLOCKS}
`;

test("presence is that of all workers", () =>
  withWorkers(3, CONFIG, (...workers) => playPresence(workers)));
