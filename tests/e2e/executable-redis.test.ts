/** The executable with a plugin that imports a package: counters on a real Redis, in two workers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withExecutable } from "../support/executable.ts";
import { root } from "../support/process.ts";
import { withNames } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";
import { WebClient } from "../support/web-client.ts";

const folder = join(root, "tests/fixtures/redis-counter");

await serviceTest(
  "redis",
  "executable: a plugin counts in Redis",
  () =>
    withExecutable((stage) =>
      withNames(async ({ env }) => {
        const probed = await stage.weir(["check", "--connect", folder], { env });
        assert.deepEqual([probed.code, probed.stderr], [0, ""]);
        const tested = await stage.weir(["test", folder], { env });
        assert.deepEqual([tested.code, tested.stderr], [0, ""]);
        assert.match(tested.stdout, /5 tests, all passed/);
        const weir = await stage.run([folder, "--workers", "2"], { env });
        const clients: WebClient[] = [];
        for (let index = 0; index < 4; index++) {
          clients.push(await WebClient.open(weir.addresses[0]));
        }
        const asked = { type: "message", data: { counter: "visits", by: 3 } };
        for (const [index, client] of clients.entries()) {
          assert.deepEqual((await client.request(asked)).data, { value: 3 * (index + 1) });
        }
        for (const client of clients) {
          for (const value of [3, 6, 9, 12]) {
            assert.deepEqual(await client.message(), { name: "visits", value, amount: 3 });
          }
        }
        weir.signal("SIGINT");
        assert.equal((await weir.ended()).code, 0, weir.output);
      })
    ),
);
