/**
 * Numbered requests of a page with `retry` and `dedupe`, through everything that networks and servers
 * do: none is lost, none is served twice. `WEIR_TEST_LONG` makes them 10 000.
 */
import assert from "node:assert/strict";
import { openBrowser } from "../support/browser.ts";
import { ClientStage } from "../support/client-stage.ts";
import { disturb, everything } from "../support/disturbances.ts";
import { fastPage } from "../support/fast-page.ts";
import { AMOUNT, checkNumbers, numberedFiles, SPEED } from "../support/numbered.ts";
import { serviceTest } from "../support/services.ts";

const PAGE = `<!doctype html>
<title>Numbers</title>
${fastPage(SPEED)}<script type="module">
  import { connect } from "/weir.js";
  const weir = window.weir = connect("/ws");
  window.waiting = 0;
  window.add = async (n) => {
    waiting++;
    const answer = await weir.request("add", { n }, { retry: true, timeout: Infinity });
    waiting--;
    return answer;
  };
</script>
`;

const files = (port: number) => ({
  ...numberedFiles(port, 'client = "/weir.js"\n static = "./public"'),
  "public/index.html": PAGE,
});

await serviceTest(
  "chromium",
  `client in a browser: ${AMOUNT.numbers} requests with retry and dedupe through everything, each served once`,
  () =>
    ClientStage.run("deno", files, async (stage) => {
      const browser = await openBrowser();
      try {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${stage.proxy.port}/`);
        await page.waitForFunction("window.add");
        const add = async (n: number) => assert.deepEqual(await page.evaluate(`add(${n})`), { n });
        const world = {
          proxy: stage.proxy,
          status: () => page.evaluate<string>("weir.status"),
          waits: () => page.evaluate<boolean>("waiting > 0"),
          restart: (signal: "SIGTERM" | "SIGKILL") => stage.restart(signal),
        };
        await disturb(everything, world, AMOUNT, (numbers) => numbers.map(add));
        await checkNumbers(stage.connect({ direct: true }));
      } finally {
        await browser.close();
      }
    }),
);
