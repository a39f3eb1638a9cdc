/** Rooms with history in one process and with workers that die, read by a client in Python. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { openStage, root, runtimes, type Stage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient, withoutWaits } from "../support/talk.ts";
import { childrenOf } from "../support/workers.ts";

const client = join(root, "tests/e2e/python/history_client.py");
const LAST = 600;

const config = `
  connector "ws" {
    type = "websocket"
    port = 0
    room "h:*" {
      history {
        size = 1000
      }
    }
  }
  flow "join" {
    from {
      connector = "ws"
      operation = "join_room"
    }
  }
  flow "number" {
    from {
      connector = "ws"
      operation = "number"
    }
    to {
      connector  = "ws"
      operation  = "send_to_room"
      target     = "h:1"
      message_id = "string(input.n)"
    }
  }
`;

for (const runtime of runtimes) {
  await serviceTest(
    "python-websockets",
    `a client in Python that is cut again and again reads all, on ${runtime}`,
    () => onStage(runtime, (stage) => readsAll(stage, [])),
  );
  await serviceTest(
    "python-websockets",
    `the same with workers that die, on ${runtime}`,
    () => onStage(runtime, (stage) => readsAll(stage, ["--workers", "2"])),
  );
}

async function onStage(runtime: typeof runtimes[number], run: (stage: Stage) => Promise<void>) {
  const stage = await openStage(runtime);
  try {
    await run(stage);
  } finally {
    await stage.end();
  }
}

async function readsAll(stage: Stage, args: readonly string[]): Promise<void> {
  const file = join(stage.folder, "history.hcl");
  await writeFile(file, config);
  const weir = await stage.run([file, ...args]);
  const url = `ws://127.0.0.1:${weir.port}/ws`;
  const readers = [1, 2].map(() => stage.command("/usr/bin/python3", [client, url, String(LAST)]));
  for (const reader of readers) await reader.says(/ready/);
  let sender: SocketClient | undefined;
  for (let n = 0; n <= LAST; n++) {
    if (args.length > 0 && n % 200 === 100) {
      const [worker] = await childrenOf(weir.pid);
      process.kill(worker, "SIGKILL");
    }
    for (let sent = false; !sent;) {
      try {
        sender ??= await openClient(weir);
        const answer = await sender.ask({ type: "number", data: { n }, id: n });
        sent = answer.type === "ack";
      } catch {
        // Its worker has died, and another one takes its place.
        sender = undefined;
        await pause(20);
      }
    }
  }
  const expected = Array.from({ length: LAST + 1 }, (_, n) => n);
  for (const reader of readers) {
    const { code, stdout, stderr } = await reader.ended();
    assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
    const { numbers, unrecovered } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    assert.deepEqual([numbers, unrecovered], [expected, 0]);
  }
  sender?.destroy();
}
