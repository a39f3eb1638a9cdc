/**
 * The client library in a real browser: loaded from the connector, cut off, offline, and stopped as when
 * a laptop is closed. `WEIR_TEST_LONG` makes that 90 seconds.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { connectTo, openBrowserServer, type Page } from "../support/browser.ts";
import { disturb, network } from "../support/disturbances.ts";
import { fastPage } from "../support/fast-page.ts";
import { Library } from "../support/library.ts";
import { SPEED } from "../support/numbered.ts";
import { openPortal } from "../support/portal.ts";
import { serviceTest } from "../support/services.ts";
import { pause, until } from "../support/socket-probe.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";

const page = (speed: number) =>
  `<!doctype html>
<title>Client</title>
${fastPage(speed)}<script type="module">
  import { connect } from "/weir.js";
  const seen = window.seen = [];
  const statuses = window.statuses = [];
  window.members = () => room.members.map(({ user_id }) => user_id).sort().join();
  const weir = window.weir = connect("/ws?user_id=ann");
  weir.on("status", (status) => statuses.push(status));
  const room = await weir.join("a", { presence: true });
  room.on("resync", () => seen.push("resync"));
  window.joined = true;
  for await (const { n } of room) seen.push(n);
</script>
`;

const flows = `
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    to {
      connector = "ws"
      operation = "send_to_room"
      target    = "'a'"
      transform {
        n = "input.n"
      }
    }
    response {
      n = "input.n"
    }
  }
`;

/** What a test works with. */
interface World {
  readonly library: Library;
  readonly page: Page;
  /** Sends a number to the room, past the proxy. */
  say(n: number): Promise<unknown>;
  /** Waits until the page has seen just these. */
  saw(...expected: unknown[]): Promise<void>;
  status(): Promise<string>;
  /** Stops all processes of the browser, and lets them go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
}

await browserTest("client in a browser: the page loads it, and misses nothing", async (world) => {
  const { library, page, say, saw } = world;
  await say(1);
  await saw(1);
  assert.equal(await page.evaluate("members()"), "ann");
  library.proxy.cut();
  await say(2);
  await saw(1, 2);
  const answer = await page.evaluate(`weir.request("say", { n: 3 }, { retry: true })`);
  assert.deepEqual(answer, { n: 3 });
  await saw(1, 2, 3);
  // A page that is loaded again is served from the cache of the browser, and says 304.
  await page.reload();
  await page.waitForFunction("window.joined");
  await page.evaluate("weir.close()");
  assert.equal(await world.status(), "closed");
});

await browserTest("client in a browser: no network, and its return", async (world) => {
  const { library, page, say, saw } = world;
  const { proxy } = library;
  await page.context().setOffline(true);
  proxy.refuse();
  proxy.cut();
  await until("its end", async () => await world.status() !== "open");
  await say(1);
  const asked = page.evaluate(`weir.request("say", { n: 2 }, { timeout: 60000 })`);
  // The waits have grown: without the browser's word the next one would be long.
  const attempts = `statuses.filter((status) => status === "waiting").length`;
  await until("three attempts", async () => Number(await page.evaluate(attempts)) >= 3, 50, 60_000);
  await proxy.accept();
  await page.context().setOffline(false);
  assert.deepEqual(await asked, { n: 2 });
  await saw(1, 2);
});

await browserTest(
  "client in a browser: a room through all that networks do, in order, none missing, none twice",
  async ({ library, page, say, saw, status }) => {
    const other = await library.connect({ direct: true, query: "user_id=bob" }).join("a", {
      presence: true,
    });
    let said = 0;
    const world = {
      proxy: library.proxy,
      status,
      waits: async () => await page.evaluate<number>("seen.length") < said,
    };
    const numbers = 350;
    await disturb(network, world, { numbers, rounds: long ? 2 : 1 }, (part) =>
      part.map((n) => {
        said++;
        return say(n);
      }));
    await saw(...Array.from({ length: numbers }, (_, n) => n));
    const both = "ann,bob";
    await until("the page's members", async () => await page.evaluate("members()") === both);
    const names = () => other.members.map(({ user_id }) => user_id).sort().join();
    await until("the other's members", () => names() === both);
  },
  SPEED,
);

await browserTest("client in a browser: a captive portal is waited out", async (world) => {
  const { library, page, say, saw } = world;
  const { proxy } = library;
  proxy.refuse();
  const portal = await openPortal(proxy.port);
  proxy.cut();
  await say(1);
  const asked = page.evaluate(`weir.request("say", { n: 2 }, { timeout: Infinity })`);
  await until("handshakes", () => portal.answered() >= 3, undefined, 60_000);
  assert.ok(["connecting", "waiting"].includes(await world.status()));
  await portal.close();
  await proxy.accept();
  assert.deepEqual(await asked, { n: 2 });
  await saw(1, 2);
}, SPEED);

await browserTest("client in a browser: stopped, as when a laptop is closed", async (world) => {
  const { library, say, saw, signal } = world;
  await say(1);
  await saw(1);
  signal("SIGSTOP");
  try {
    // The server does not wait for it.
    await until(
      "the server's word",
      () => library.runtime.counts().ws.connections === 1,
      undefined,
      120_000,
    );
    if (long) await pause(90_000);
    await say(2);
  } finally {
    signal("SIGCONT");
  }
  await say(3);
  await saw(1, 2, 3);
});

/** `speed` is how much faster the time of the page runs. */
async function browserTest(
  name: string,
  run: (world: World) => Promise<void>,
  speed = 1,
): Promise<void> {
  await serviceTest("chromium", name, async () => {
    const folder = await mkdtemp(join(tmpdir(), "weir-client-"));
    await writeFile(join(folder, "index.html"), page(speed));
    const pings = long ? "" : 'ping_interval = "1s"\n pong_timeout = "1s"';
    const library = await Library.start(
      `client = "/weir.js"
       static = "${folder}"
       ${pings}
       room "a" {
         history {
         }
         presence {
         }
       }`,
      flows,
    );
    // A process group of its own.
    const server = await openBrowserServer();
    const browser = await connectTo(server);
    try {
      const tab = await browser.newPage();
      const complaints: string[] = [];
      tab.on("pageerror", (error) => complaints.push(`${error}`));
      await tab.goto(`http://127.0.0.1:${library.proxy.port}/`);
      await tab.waitForFunction("window.joined");
      const speaker = library.connect({ direct: true });
      await run({
        library,
        page: tab,
        say: (n) => speaker.request("say", { n }),
        saw: async (...expected) => {
          let seen: unknown;
          await until(
            `${expected}`,
            async () => {
              seen = await tab.evaluate("seen");
              return JSON.stringify(seen) === JSON.stringify(expected);
            },
            50,
            60_000,
          ).catch((error) => assert.fail(`${error}: the page saw ${JSON.stringify(seen)}`));
        },
        status: () => tab.evaluate<string>("weir.status"),
        signal: (signal) => process.kill(-(server.process().pid ?? NaN), signal),
      });
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
      await server.close();
      await library.close();
      await rm(folder, { recursive: true });
    }
  });
}
