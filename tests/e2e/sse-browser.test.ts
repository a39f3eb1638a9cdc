/** `EventSource` of a real browser. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser, type Page } from "../support/browser.ts";
import { openStage, type Stage, type Weir } from "../support/process.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";
import { WebClient } from "../support/web-client.ts";

const CONFIG = `
connector "ws" {
  type   = "websocket"
  port   = 0
  sse    = "/events"
  static = "./public"
  room "news" {
  }
  room "kept" {
    history {
    }
  }
}
flow "keep" {
  from {
    connector = "ws"
    operation = "keep"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'kept'"
  }
}
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'news'"
  }
}
flow "kick" {
  from {
    connector = "ws"
    operation = "kick"
  }
  to {
    connector = "ws"
    operation = "disconnect"
    user      = "'ann'"
  }
}
`;

const PAGE = `<!doctype html>
<title>streams</title>
<script>
  window.seen = { opened: 0, heard: [], closes: [] };
  const room = new URLSearchParams(location.search).get("room") ?? "news";
  const events = window.events = new EventSource("/events?user_id=ann&room=" + room);
  events.onopen = () => seen.opened++;
  events.onmessage = ({ data }) => seen.heard.push(JSON.parse(data).data);
  events.addEventListener("close", ({ data }) => seen.closes.push(JSON.parse(data)));
</script>
`;

interface Seen {
  readonly opened: number;
  readonly heard: readonly unknown[];
  readonly closes: readonly { readonly code: number; readonly reason: string }[];
  readonly state: number;
}

function seen(page: Page): Promise<Seen> {
  return page.evaluate("({ ...seen, state: events.readyState })");
}

function start(stage: Stage, port: number): Promise<Weir> {
  return stage.run(["app", "--port", `ws=${port}`]);
}

/** Calls `act` with a stage that has the application, and with a browser. */
async function withBrowser(
  act: (stage: Stage, open: (url: string) => Promise<Page>) => Promise<void>,
): Promise<void> {
  const stage = await openStage("deno");
  const browser = await openBrowser();
  try {
    await mkdir(join(stage.folder, "app/public"), { recursive: true });
    await writeFile(join(stage.folder, "app/app.hcl"), CONFIG);
    await writeFile(join(stage.folder, "app/public/index.html"), PAGE);
    await act(stage, async (url) => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(url);
      return page;
    });
  } finally {
    await browser.close();
    await stage.end();
  }
}

/** Waits until a page has seen something. */
function sees(page: Page, what: string, holds: (one: Seen) => boolean): Promise<void> {
  return until(what, async () => holds(await seen(page)), 50, 30_000);
}

const OPEN = 1;
const CLOSED = 2;

await serviceTest(
  "chromium",
  "a browser listens, comes back after a restart, and stops when told",
  () =>
    withBrowser(async (stage, open) => {
      const first = await start(stage, 0);
      const { port } = first;
      const page = await open(`http://localhost:${port}/`);
      await sees(page, "an open stream", ({ opened, state }) => opened === 1 && state === OPEN);
      const client = await WebClient.open(`ws://localhost:${port}/ws`);
      await client.request({ type: "message", data: "hello\nworld" });
      await sees(page, "a message", ({ heard }) => heard[0] === "hello\nworld");

      first.signal("SIGTERM");
      assert.equal((await first.ended()).code, 0, first.output);
      await sees(page, "the reason", ({ closes }) => closes[0]?.code === 1001);
      const second = await start(stage, port);
      await sees(page, "another stream", ({ opened, state }) => opened === 2 && state === OPEN);
      const other = await WebClient.open(`ws://localhost:${port}/ws`);
      await other.request({ type: "message", data: "again" });
      await sees(page, "a second message", ({ heard }) => heard[1] === "again");

      await other.request({ type: "kick" });
      await sees(
        page,
        "the end",
        ({ closes, state }) => closes[1]?.code === 1008 && state === CLOSED,
      );
      assert.equal((await seen(page)).opened, 2);
      other.close();
      second.signal("SIGTERM");
      assert.equal((await second.ended()).code, 0, second.output);
    }),
);

await serviceTest(
  "chromium",
  "a browser whose stream is cut resumes by itself, and misses nothing of a room with history",
  () =>
    withBrowser(async (stage, open) => {
      const weir = await start(stage, 0);
      const proxy = await Proxy.open(weir.port);
      try {
        const page = await open(`http://localhost:${proxy.port}/?room=kept`);
        await sees(page, "an open stream", ({ opened }) => opened === 1);
        const client = await WebClient.open(`ws://localhost:${weir.port}/ws`);
        const keep = (data: number) => client.request({ type: "keep", data });
        await keep(1);
        await sees(page, "a message", ({ heard }) => heard.length === 1);
        proxy.refuse();
        proxy.cut();
        for (const n of [2, 3]) await keep(n);
        await proxy.accept();
        await sees(page, "what was missed", ({ heard }) => heard.length >= 3);
        await keep(4);
        await sees(page, "a new message", ({ heard }) => heard.length >= 4);
        assert.deepEqual((await seen(page)).heard, [1, 2, 3, 4]);
        client.close();
      } finally {
        proxy.close();
      }
      weir.signal("SIGTERM");
      assert.equal((await weir.ended()).code, 0, weir.output);
    }),
);
