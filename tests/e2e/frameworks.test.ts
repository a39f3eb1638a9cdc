/**
 * The code of docs/client.md in a real browser: the first page, and the components for React, Vue and
 * Svelte, each with a server on another runtime. The history is in Redis, as the page advises.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, type ConsoleMessage, openBrowser, type Page } from "../support/browser.ts";
import { clientPage, redisConfig } from "../support/client-page.ts";
import { type Framework, makePage } from "../support/framework-pages.ts";
import { blockOf } from "../support/markdown.ts";
import { keptPort } from "../support/ports.ts";
import { openStage, type Stage, type Weir } from "../support/process.ts";
import { RedisServer } from "../support/redis.ts";
import { service, serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";
import type { Tool } from "../support/toolchain.ts";

/** How long a page may take for anything: its client may wait for seconds before it connects. */
const PATIENCE = 60_000;

const needed = ["chromium", "redis-server"] as const;
const found = await Promise.all(needed.map(service));
const missing = needed.find((_, index) => !found[index].ok) ?? "chromium";

/** A server that can be stopped and started, and a browser. */
class World {
  readonly stage: Stage;
  readonly port: number;
  readonly redis: RedisServer;
  readonly browser: Browser;
  readonly complaints: string[] = [];
  #weir: Weir | undefined;

  constructor(stage: Stage, port: number, redis: RedisServer, browser: Browser) {
    this.stage = stage;
    this.port = port;
    this.redis = redis;
    this.browser = browser;
  }

  async start(): Promise<void> {
    const args = [join(this.stage.folder, "chat.hcl"), "--port", `ws=${this.port}`];
    this.#weir = await this.stage.run(args, { env: { REDIS_URL: this.redis.url } });
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#weir?.signal(signal);
    await this.#weir?.ended();
  }

  /** A tab of a user, and the joins and leaves that it has sent, such as `join_room chat:7`. */
  async open(user: string, tell = (_: ConsoleMessage) => {}): Promise<[Page, string[]]> {
    const page = await this.browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("console", tell);
    page.on("console", (message) => {
      // While the server is away, the browser says so.
      const isAway = /WebSocket connection to|Failed to load resource/.test(message.text());
      if (message.type() === "error" && !isAway) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(`${error}`));
    const sent: string[] = [];
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => {
        const { type, room } = JSON.parse(`${payload}`);
        if (/^(?:join|leave)_room$/.test(type)) sent.push(`${type} ${room}`);
      });
    });
    await page.goto(`http://127.0.0.1:${this.port}/?user_id=${user}`);
    return [page, sent];
  }
}

const tools: Readonly<Record<Framework, Tool>> = { React: "deno", Vue: "bun", Svelte: "node" };

for (const [framework, tool] of Object.entries(tools) as [Framework, Tool][]) {
  await worldTest(`${framework}'s component of docs/client.md, on ${tool}`, tool, async (world) => {
    await makePage(world.stage, framework, clientPage);
    await world.start();
    const [ada, sent] = await world.open("ada");
    const [bob] = await world.open("bob");
    const tabs = [ada, bob];
    const talk = new Talk(tabs);
    for (const tab of tabs) await tab.evaluate(`enter("chat:7")`);
    for (const tab of tabs) await shows(tab, BOTH);
    // StrictMode runs the effect of the component twice.
    const joins = Array(framework === "React" ? 2 : 1).fill("join_room chat:7");
    assert.deepEqual(sent, joins);
    for (const tab of tabs) {
      await talk.say(tab, "hello");
      await talk.heard();
    }

    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await world.stop(signal);
      await talk.say(ada, `without-a-server-${signal}`);
      await world.start();
      await talk.heard();
      await talk.say(bob, `with-a-server-${signal}`);
      await talk.heard();
      for (const tab of tabs) await shows(tab, BOTH);
    }

    // The room is left when its component goes.
    await ada.evaluate(`enter("chat:8")`);
    await shows(bob, ALONE("bob"));
    await shows(ada, ALONE("ada"));
    assert.equal(sent.filter((frame) => frame === "leave_room chat:7").length, 1);

    // One that goes before the server has answered leaves it then.
    await world.stop("SIGTERM");
    sent.length = 0;
    await ada.evaluate(`enter("chat:7")`);
    await ada.getByRole("textbox").waitFor();
    await ada.evaluate(`enter("")`);
    await ada.getByRole("textbox").waitFor({ state: "detached" });
    await world.start();
    await until("the end of its membership", () => sent.length >= 2, 50, PATIENCE);
    assert.deepEqual(sent, ["join_room chat:7", "leave_room chat:7"]);
    await ada.evaluate(`enter("chat:9")`);
    await shows(ada, ALONE("ada"));
    await shows(bob, ALONE("bob"));
  });
}

await worldTest("the first page of docs/client.md", "deno", async (world) => {
  await writeFile(join(world.stage.folder, "public/index.html"), blockOf(clientPage, "html"));
  await world.start();
  const tabs = await Promise.all(["ada", "bob"].map(async (user) => {
    const log: string[] = [];
    const tell = async (message: ConsoleMessage) => {
      for (const value of message.args()) log.push(JSON.stringify(await value.jsonValue()));
    };
    const [page] = await world.open(user, tell);
    return { log, field: page.getByRole("textbox") };
  }));
  const logged = async (text: string) => {
    for (const { log } of tabs) {
      await until(text, () => log.some((line) => line.includes(text)), 50, PATIENCE);
    }
  };
  await logged('"connections":1');
  await tabs[0].field.fill("hello");
  await tabs[0].field.press("Enter");
  await logged('"text":"hello"');
  await world.stop("SIGTERM");
  await tabs[1].field.fill("nobody hears it");
  await tabs[1].field.press("Enter");
  await world.start();
  await logged('"text":"nobody hears it"');
  for (const { log } of tabs) {
    const texts = log.flatMap((line) => /"text":"(.*?)"/.exec(line)?.[1] ?? []);
    assert.deepEqual(texts, ["hello", "nobody hears it"]);
  }
});

/** What is said in the room, by whom, and in which order. */
class Talk {
  readonly #tabs: readonly Page[];
  readonly #said: string[] = [];

  constructor(tabs: readonly Page[]) {
    this.#tabs = tabs;
  }

  /** Says it as a user does. */
  async say(tab: Page, text: string): Promise<void> {
    const field = tab.getByRole("textbox");
    await field.fill(text);
    await field.press("Enter");
    // It is ready for the next text, also without a connection.
    const isEmpty = async () => await field.inputValue() === "";
    await until("an empty field", isEmpty, 50, PATIENCE);
    const user = new URL(tab.url()).searchParams.get("user_id");
    this.#said.push(`${user}: ${text}`);
  }

  /** Waits until all tabs show everything, in one order, each text once. */
  async heard(): Promise<void> {
    for (const tab of this.#tabs) {
      let texts: readonly string[] = [];
      const isAll = async () => {
        texts = (await tab.innerText("main")).match(/\w+: [\w-]+/g) ?? [];
        return texts.length >= this.#said.length;
      };
      await until(`${this.#said}`, isAll, 50, PATIENCE).catch((error) =>
        assert.fail(`${error}: the page shows ${texts}`)
      );
      assert.deepEqual(texts, this.#said);
    }
  }
}

/** The members that a component shows, before its messages. */
const BOTH = /^\s*(?:ada, bob|bob, ada)\b/;
const ALONE = (user: string) => new RegExp(`^\\s*${user}(?!,)\\b`);

/** Waits until the page shows it. */
async function shows(page: Page, pattern: RegExp): Promise<void> {
  let text = "";
  const matches = async () => pattern.test(text = await page.innerText("main"));
  await until(`${pattern}`, matches, 50, PATIENCE).catch((error) =>
    assert.fail(`${error}: the page shows ${JSON.stringify(text)}`)
  );
}

async function worldTest(name: string, tool: Tool, run: (world: World) => Promise<void>) {
  await serviceTest(missing, name, async () => {
    const stage = await openStage(tool);
    const redis = await RedisServer.open();
    const browser = await openBrowser();
    try {
      await mkdir(join(stage.folder, "public"));
      await writeFile(join(stage.folder, "chat.hcl"), redisConfig());
      const world = new World(stage, await keptPort(), redis, browser);
      await run(world);
      assert.deepEqual(world.complaints, []);
    } finally {
      await browser.close();
      await stage.end();
      await redis.end();
    }
  });
}
