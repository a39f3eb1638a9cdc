/** Clients of the library that are closed let their process end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientStage } from "../support/client-stage.ts";
import { freePort } from "../support/ports.ts";
import { runtime } from "./stage.ts";

const files = (port: number) => ({
  "weir.hcl": `connector "ws" {
      type = "websocket"
      host = "127.0.0.1"
      port = ${port}
    }`,
});

test(`${runtime} serve: clients closed while they connect, are open, wait and ask for a token → the process ends by itself`, async () => {
  await ClientStage.run(runtime, files, async ({ port, stage }) => {
    const nowhere = await freePort();
    const script = await stage.script(
      "tests/fixtures/scripts/closing-clients.ts",
      [port, nowhere].map((one) => `ws://127.0.0.1:${one}/ws`),
    );
    const { code, stdout, stderr } = await script.ended();
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "all are closed\n");
  });
});
