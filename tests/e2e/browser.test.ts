/** The chat example in a real browser. */
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
import { post } from "../support/web-client.ts";

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
    const { weir, stage } = world;
    const ada = await openTab(world, "Ada");
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0, weir.output);
    await ada.getByText("Offline").waitFor();
    await say(ada, "Are you there?");
    await ada.getByText("Sending…").waitFor();

    await startChat(stage, weir.port);
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

/** By how many pixels the page is wider and higher than the window. */
const OVERFLOW = `[document.documentElement].map((page) => [
  page.scrollWidth - page.clientWidth,
  page.scrollHeight - page.clientHeight,
])[0]`;
/** The id of what has the focus, or its text. */
const FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()";

/** A running chat and a browser. */
interface World {
  readonly stage: Stage;
  readonly weir: Weir;
  readonly browser: BrowserContext;
  /** What pages complained of. */
  readonly complaints: string[];
}

async function browserTest(name: string, run: (world: World) => Promise<void>): Promise<void> {
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
      await run({ stage, weir: await startChat(stage, 0), browser, complaints });
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
      await stage.end();
    }
  });
}

function startChat(stage: Stage, port: number): Promise<Weir> {
  const env = { CHAT_DB: join(stage.folder, "chat.db") };
  return stage.run([join(root, "examples/chat"), "--port", `ws=${port}`], { env });
}

/** Opens the chat in a tab of its own, under a name. */
async function openTab({ browser, weir, complaints }: World, name: string): Promise<Page> {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => complaints.push(`${name}: ${error}`));
  tab.on("console", (entry) => {
    // The browser itself reports every attempt to connect that fails.
    const expected = entry.text().includes("ERR_CONNECTION_REFUSED");
    if (entry.type() === "error" && !expected) complaints.push(`${name}: ${entry.text()}`);
  });
  await tab.goto(`http://localhost:${weir.port}/`);
  await tab.getByLabel("Your name").fill(name);
  await tab.getByLabel("Your name").press("Enter");
  await tab.getByText(new RegExp(`^Here: .*\\b${name}\\b`)).waitFor();
  return tab;
}

async function say(tab: Page, text: string): Promise<void> {
  const field = tab.getByLabel("Message", { exact: true });
  await field.fill(text);
  await field.press("Enter");
}

function said(tab: Page, text: string): Locator {
  return tab.getByRole("log").getByText(text, { exact: true });
}
