/**
 * 1000 clients of the library, whose server ends and is started again at once: drained, and killed. No
 * 200 ms hold more than 30 % of their attempts, and all are back within 15 s.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Return } from "../fixtures/scripts/storm-clients.ts";
import { keptPort } from "../support/ports.ts";
import { stageTest } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";

const CLIENTS = 1000;

stageTest(
  `client storm: ${CLIENTS} clients of a server that is drained, then killed`,
  async (stage) => {
    const port = await keptPort();
    await writeFile(
      join(stage.folder, "weir.hcl"),
      `connector "ws" {
       type = "websocket"
       host = "127.0.0.1"
       port = ${port}
     }`,
    );
    let server = await stage.run(["weir.hcl"]);
    const url = `ws://127.0.0.1:${port}/ws`;
    const clients = await stage.script("tests/fixtures/scripts/storm-clients.ts", [
      url,
      String(CLIENTS),
    ]);
    let lines = 0;
    const back = async (): Promise<Return> => {
      const [text] = await clients.says(new RegExp(`(?:.*\\n){${++lines}}`));
      return JSON.parse(text.trim().split("\n")[lines - 1]) as Return;
    };
    await back();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      // Only a connection that was open for 3 s begins anew with short waits.
      await pause(4_000);
      server.signal(signal);
      await server.ended();
      const ended = Date.now();
      server = await stage.run(["weir.hcl"]);
      const there = Date.now();
      const { attempts, meant, made, at } = await back();
      console.log(
        `${stage.runtime}, ${signal}: away for ${
          there - ended
        } ms, ${attempts} attempts, at most ${meant} of them meant for 200 ms, ` +
          `${made} made in 200 ms; all were back after ${at - there} ms`,
      );
      assert.ok(attempts >= CLIENTS, `${attempts} attempts`);
      assert.ok(meant <= 0.3, `${signal}: ${meant} of the attempts in 200 ms`);
      assert.ok(at - there <= 15_000, `${signal}: all were back after ${at - there} ms`);
    }
    stage.assertSound();
  },
);
