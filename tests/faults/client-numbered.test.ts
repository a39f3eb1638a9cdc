/**
 * Numbered requests of the client library with `retry` and `dedupe`, through everything that networks
 * and servers do: none is lost, none is served twice. `WEIR_TEST_LONG` makes them 10 000.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientStage } from "../support/client-stage.ts";
import { disturb, everything } from "../support/disturbances.ts";
import { AMOUNT, checkNumbers, numberedFiles, SPEED } from "../support/numbered.ts";
import { runtime } from "./stage.ts";

test(`${runtime} serve: numbered requests with \`retry\` and \`dedupe\`, through connections cut, stalled and swallowed, a proxy that restarts and a server drained and killed → each answered, none lost, none served twice`, async () => {
  await ClientStage.run(runtime, numberedFiles, async (stage) => {
    const client = stage.connect({ speed: SPEED });
    const options = { retry: true, timeout: Infinity };
    let waiting = 0;
    const add = async (n: number) => {
      waiting++;
      assert.deepEqual(await client.request("add", { n }, options), { n });
      waiting--;
    };
    const world = stage.world(client, () => waiting > 0);
    await disturb(everything, world, AMOUNT, (numbers) => numbers.map(add));
    await checkNumbers(client);
  });
});
