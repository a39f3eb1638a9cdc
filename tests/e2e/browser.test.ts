/** The pages of the examples in a real browser. */
// Deno alone runs this file, and nothing else needs the package: it is named here.
// deno-lint-ignore-file no-import-prefix
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "npm:playwright-core@^1.65.1";
import { openStage, root, type Stage, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { post, WebClient } from "../support/web-client.ts";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

await browserTest("browser: two tabs chat, and find it all after a reload", async (world) => {
  const ada = await openTab(world, "Ada");
  const bob = await openTab(world, "Bob");
  await ada.getByText("Bob joined").waitFor();
  for (const tab of [ada, bob]) await tab.getByText("Here: Ada, Bob").waitFor();

  const hostile = `<img src=x onerror="document.title='taken'"> & <b>bold</b>`;
  await say(ada, hostile);
  await said(bob, hostile).waitFor();
  await say(bob, "Hello Ada");
  await said(ada, "Hello Ada").waitFor();
  assert.equal(await bob.locator("#messages img, #messages b").count(), 0);
  assert.equal(await bob.title(), "#lobby · Weir chat");
  assert.equal(await ada.getByText("Sending…").count(), 0);

  await ada.getByRole("link", { name: "#kitchen" }).click();
  await bob.getByText("Ada left").waitFor();
  await say(bob, "Nobody is here");
  await ada.getByRole("heading", { name: "#kitchen" }).waitFor();
  await say(ada, "Soup is ready");
  await ada.getByRole("link", { name: "#lobby" }).click();
  await said(ada, "Nobody is here").waitFor();
  assert.equal(await said(ada, "Soup is ready").count(), 0);

  await bob.reload();
  await said(bob, hostile).waitFor();
  const texts = await bob.locator("#messages .text").allTextContents();
  assert.deepEqual(texts, [hostile, "Hello Ada", "Nobody is here"]);
  assert.equal(await bob.getByLabel("Your name").inputValue(), "Bob");
});

await browserTest("browser: an order that is posted shows up in every tab", async (world) => {
  const tabs = [await openTab(world, "Ada"), await openTab(world, "Bob")];
  const origin = `http://localhost:${world.weir.port}`;
  for (const [id, status] of [["A17", "packed"], ["A18", "packed"], ["A17", "sent"]]) {
    assert.equal((await post(`${origin}/orders`, { id, status })).status, 200);
  }
  for (const tab of tabs) {
    const orders = tab.getByRole("list", { name: "Orders, newest first" }).getByRole("listitem");
    await orders.filter({ hasText: "sent" }).waitFor();
    assert.match((await orders.allTextContents()).join("|"), /^A17 sent .*\|A18 packed [^|]*$/);
    const command = `curl --json '{"id":"A17","status":"packed"}' ${origin}/orders`;
    await tab.getByText(command, { exact: true }).waitFor();
  }
});

await browserTest(
  "browser: what is written while the server is away is sent once",
  async (world) => {
    const { weir, stage, complaints } = world;
    const ada = await openTab(world, "Ada");
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0, weir.output);
    await ada.getByText("Offline").waitFor();
    await say(ada, "Are you there?");
    await ada.getByText("Sending…").waitFor();
    // A server that shuts down refuses with 503 whose connection it has accepted before. Nobody else may.
    const others = complaints.splice(0).filter((text) => !text.includes("response code: 503"));
    complaints.push(...others);

    await startExample("chat", stage, weir.port);
    await ada.getByText("Connected").waitFor();
    await ada.getByText("Sending…").waitFor({ state: "detached" });
    const bob = await openTab(world, "Bob");
    await said(bob, "Are you there?").waitFor();
    assert.deepEqual(await bob.locator("#messages .text").allTextContents(), ["Are you there?"]);
  },
);

await browserTest(
  "browser: a message that the server refuses says so, and can be sent again",
  async (world) => {
    const ada = await openTab(world, "Ada");
    const field = ada.getByLabel("Message", { exact: true });
    await field.evaluate((element) => element.removeAttribute("maxlength"));
    await say(ada, "x".repeat(2001));
    await ada.getByText("Not sent: ").waitFor();
    await ada.getByRole("button", { name: "Send again" }).click();
    await ada.getByText("Not sent: ").waitFor();
    await say(ada, "Shorter");
    await ada.locator("[data-state=sent]", { hasText: "Shorter" }).waitFor();
  },
);

await browserTest(
  "browser: it fits a phone, and the keyboard reaches everything",
  async (world) => {
    const ada = await openTab(world, "Ada");
    for (const width of [1280, 768, 390, 320]) {
      await ada.setViewportSize({ width, height: 800 });
      const excess = await ada.evaluate<readonly number[]>(OVERFLOW);
      assert.deepEqual(excess, [0, 0], `${width} pixels wide`);
    }
    await ada.setViewportSize({ width: 1280, height: 800 });
    await ada.evaluate("document.activeElement.blur()");
    const reached = new Set<string>();
    for (let press = 0; press < 20; press++) {
      await ada.keyboard.press("Tab");
      reached.add(await ada.evaluate<string>(FOCUSED));
    }
    const expected = [
      "Skip to the message field",
      "name",
      "#kitchen",
      "room",
      "messages",
      "text",
      "Send",
    ];
    for (const name of expected) assert.ok(reached.has(name), `${name} in ${[...reached]}`);
  },
);

await browserTest("browser: the dashboard shows readings as they come", async (world) => {
  const { weir } = world;
  const page = await openPage(world, "dashboard");
  await page.getByText("Live", { exact: true }).waitFor();
  const card = (metric: string) =>
    page.getByRole("list", { name: "Metrics" }).getByRole("listitem")
      .filter({ has: page.getByRole("heading", { name: metric }) });
  await card("readings stored").getByText("0", { exact: true }).waitFor();

  for (const value of [12, 30, 21.5]) {
    const reading = { metric: "temperature", value, unit: "°C" };
    assert.equal((await post(`http://localhost:${weir.port}/readings`, reading)).status, 201);
  }
  await card("temperature").getByText("21.5", { exact: true }).waitFor();
  await card("temperature").getByText("°C").waitFor();
  const line = card("temperature").locator("polyline");
  assert.equal((await line.getAttribute("points"))?.split(" ").length, 3);
  await card("readings stored").getByText("3", { exact: true }).waitFor();

  await page.getByLabel("Value").fill("7");
  await page.getByRole("button", { name: "Send" }).click();
  await card("orders open").getByText("7", { exact: true }).waitFor();
  await page.getByText("Stored.").waitFor();
  await page.reload();
  await card("temperature").getByText("21.5", { exact: true }).waitFor();
  await fits(page);
}, "dashboard");

await browserTest("browser: notifications come to who follows their topic", async (world) => {
  const { stage, weir } = world;
  const page = await openPage(world, "notifications");
  await page.getByText("Connected", { exact: true }).waitFor();
  const items = page.getByRole("list", { name: "Notifications, newest first" })
    .getByRole("listitem");
  const notify = (topic: string, title: string) =>
    post(`http://localhost:${weir.port}/notifications`, { topic, title, level: "urgent" });
  assert.equal((await notify("billing", "Not for this page")).status, 201);
  assert.equal((await notify("deploys", "<b>Version 7</b> is out")).status, 201);
  await items.getByRole("heading", { name: "<b>Version 7</b> is out" }).waitFor();
  assert.equal(await items.count(), 1);

  // Following a topic brings what was said about it, and leaving it takes that away.
  await page.getByRole("checkbox", { name: "billing" }).check();
  await items.filter({ hasText: "Not for this page" }).waitFor();
  await page.getByRole("checkbox", { name: "billing" }).uncheck();
  assert.equal(await items.count(), 1);

  await page.getByLabel("Title").fill("From the page");
  await page.getByRole("button", { name: "Send" }).click();
  await items.filter({ hasText: "From the page" }).waitFor();

  // What comes while the page is away is there when it is back.
  await page.goto("about:blank");
  assert.equal((await notify("deploys", "While away")).status, 201);
  await page.goto(`http://localhost:${weir.port}/`);
  await items.filter({ hasText: "While away" }).waitFor();
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0, weir.output);
  await page.getByText("Offline").waitFor();
  await startExample("notifications", stage, weir.port);
  await page.getByText("Connected", { exact: true }).waitFor();
  assert.equal((await notify("deploys", "After a restart")).status, 201);
  await items.filter({ hasText: "After a restart" }).waitFor();
  assert.deepEqual(await items.getByRole("heading").allTextContents(), [
    "After a restart",
    "While away",
    "From the page",
    "<b>Version 7</b> is out",
  ]);
  await fits(page);
}, "notifications");

await browserTest("browser: devices, their readings and their alarms are shown", async (world) => {
  const { weir } = world;
  const page = await openPage(world, "iot");
  await page.getByText("Live", { exact: true }).waitFor();
  const device = page.getByRole("list", { name: "Devices" }).getByRole("listitem")
    .filter({ hasText: "greenhouse-1" });
  const send = async (sensor: string, value: string) => {
    await page.getByLabel("Sensor").fill(sensor);
    await page.getByLabel("Value").fill(value);
    await page.getByRole("button", { name: "Send" }).click();
  };
  await send("temperature", "21.5");
  await device.getByText("temperature 21.5").waitFor();
  await device.getByText("online").waitFor();
  await page.getByText("Stored.").waitFor();
  await page.getByText("None since this page was opened.").waitFor();
  await send("temperature", "41");
  await device.locator("[data-alarm=true]", { hasText: "temperature 41" }).waitFor();
  const alarms = page.getByRole("list", { name: "Alarms" }).getByRole("listitem");
  await alarms.filter({ hasText: "greenhouse-1: temperature is 41, not 5 to 35" }).waitFor();
  await page.getByLabel("Value").fill("2000000");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("value must be at most 1000000").waitFor();

  // Another device, as a program would be one.
  const url = `ws://localhost:${weir.port}/devices?device=pump`;
  const pump = await WebClient.open(url);
  await pump.request({ type: "reading", data: { sensor: "pressure", value: 3 } });
  const card = page.getByRole("listitem").filter({ hasText: "pump" });
  await card.getByText("pressure 3").waitFor();
  pump.close();
  await card.getByText("offline").waitFor();
  await page.reload();
  await card.getByText("pressure 3").waitFor();
  await device.getByText("temperature 41").waitFor();
  await fits(page);
}, "iot");

/** By how many pixels the page is wider and higher than the window. */
const OVERFLOW = `[document.documentElement].map((page) => [
  page.scrollWidth - page.clientWidth,
  page.scrollHeight - page.clientHeight,
])[0]`;
/** The id of what has the focus, or its text. */
const FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()";

/** A running example and a browser. */
interface World {
  readonly stage: Stage;
  readonly weir: Weir;
  readonly browser: BrowserContext;
  /** What pages complained of. */
  readonly complaints: string[];
}

async function browserTest(
  name: string,
  run: (world: World) => Promise<void>,
  example = "chat",
): Promise<void> {
  await serviceTest("chromium", name, async () => {
    const stage = await openStage("deno");
    const profile = join(stage.folder, "profile");
    await mkdir(profile);
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: "/usr/bin/chromium",
      headless: true,
      args: ARGUMENTS,
    });
    try {
      const complaints: string[] = [];
      await run({ stage, weir: await startExample(example, stage, 0), browser, complaints });
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
      await stage.end();
    }
  });
}

/** The connectors whose port serves the page, where they are not called "ws". */
const CONNECTORS: Readonly<Record<string, string>> = { iot: "pages" };

function startExample(example: string, stage: Stage, port: number): Promise<Weir> {
  const env = { [`${example.toUpperCase()}_DB`]: join(stage.folder, "example.db") };
  const connector = CONNECTORS[example] ?? "ws";
  const args = [join(root, "examples", example), "--port", `${connector}=${port}`];
  return stage.run(args, { env });
}

/** Opens the page in a tab of its own; `who` stands in complaints. */
async function openPage({ browser, weir, complaints }: World, who: string): Promise<Page> {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => complaints.push(`${who}: ${error}`));
  tab.on("console", (entry) => {
    // The browser itself reports every attempt to connect that fails.
    const expected = entry.text().includes("ERR_CONNECTION_REFUSED");
    if (entry.type() === "error" && !expected) complaints.push(`${who}: ${entry.text()}`);
  });
  await tab.goto(`http://localhost:${weir.port}/`);
  return tab;
}

/** Opens the chat in a tab of its own, under a name. */
async function openTab(world: World, name: string): Promise<Page> {
  const tab = await openPage(world, name);
  await tab.getByLabel("Your name").fill(name);
  await tab.getByLabel("Your name").press("Enter");
  await tab.getByText(new RegExp(`^Here: .*\\b${name}\\b`)).waitFor();
  return tab;
}

/** No page is wider than its window, down to a small phone's. */
async function fits(page: Page): Promise<void> {
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const [excess] = await page.evaluate<readonly number[]>(OVERFLOW);
    assert.equal(excess, 0, `${width} pixels wide`);
  }
}

async function say(tab: Page, text: string): Promise<void> {
  const field = tab.getByLabel("Message", { exact: true });
  await field.fill(text);
  await field.press("Enter");
}

function said(tab: Page, text: string): Locator {
  return tab.getByRole("log").getByText(text, { exact: true });
}
