/** What one does with the pages of the examples: read, write, choose. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import { type Browser, openBrowser, type Page } from "../support/browser.ts";
import { root, withStage } from "../support/process.ts";
import { scenes } from "../support/scenes/mod.ts";
import type { Served } from "../support/scenes/scene.ts";
import { type Look, LOOKS, openPage, serve } from "../support/scenes/stage.ts";
import { serviceTest } from "../support/services.ts";
import { post, WebClient } from "../support/web-client.ts";

const [DESKTOP, , PHONE] = LOOKS;
const EXAMPLES = join(root, "examples");

let shared: Promise<Browser> | undefined;
after(async () => await (await shared)?.close());

await pageTest("chat", "a list of messages stays at its end, unless one reads further up", {
  async run(page, served) {
    await said(page, "The claim is sent.").waitFor();
    for (const day of ["Yesterday", "Today"]) await page.getByText(day, { exact: true }).waitFor();
    assert.ok(await isAtEnd(page));

    const grace = await enter(served, "Grace", "lobby");
    await say(grace, "lobby", "A long list\n".repeat(60));
    await said(page, /^A long list/).waitFor();
    assert.ok(await isAtEnd(page), "it follows the newest message");

    const before = await page.evaluate("log.scrollTop -= 400");
    assert.ok(!await isAtEnd(page));
    for (const text of ["One", "Two"]) await say(grace, "lobby", text);
    const button = page.getByRole("button", { name: "2 new messages" });
    await button.waitFor();
    assert.equal(await page.evaluate("log.scrollTop"), before);
    await button.click();
    await page.getByRole("button", { name: /new message/ }).waitFor({ state: "hidden" });
    assert.ok(await isAtEnd(page));
    grace.close();
  },
});

await pageTest("chat", "messages have lines and links, and no other elements", {
  async run(page) {
    await said(page, "The claim is sent.").waitFor();
    const field = page.getByLabel("Message", { exact: true });
    const { height } = (await field.boundingBox())!;
    await field.pressSequentially("First line");
    await field.press("Shift+Enter");
    await field.pressSequentially(
      `(https://example.com/a?b=1#c), javascript:alert(1) https://"onclick="x <a href=x>`,
    );
    assert.ok((await field.boundingBox())!.height > height, "the field grows");
    await field.press("Enter");
    const text = page.locator(".message.own:not([data-state]) .text");
    await text.waitFor();
    assert.match(await text.innerText(), /^First line\n\(https:\/\/example\.com\/a\?b=1#c\), java/);
    assert.equal(await text.locator(":scope *").count(), 1);
    const link = text.getByRole("link", { name: "https://example.com/a?b=1#c", exact: true });
    assert.equal(await link.getAttribute("href"), "https://example.com/a?b=1#c");
    assert.match(await link.getAttribute("rel") ?? "", /\bnoopener\b/);
    assert.equal(await link.getAttribute("target"), "_blank");
  },
});

await pageTest(
  "chat",
  "others see that one types, and what was not read in other rooms is counted",
  {
    async run(page, served) {
      await said(page, "The claim is sent.").waitFor();
      const ada = await enter(served, "Ada", "lobby", true);
      await page.getByLabel("Message", { exact: true }).fill("I am");
      while (!JSON.stringify(await ada.frame("presence")).includes('"typing":true'));
      await ada.request({ type: "presence", room: "lobby", data: { typing: true } });
      await page.getByText("Ada is typing…").waitFor();
      await ada.request({ type: "presence", room: "lobby", data: { typing: false } });
      await page.getByText("Ada is typing…").waitFor({ state: "hidden" });
      await page.keyboard.press("Enter");
      while (!JSON.stringify(await ada.frame("presence")).includes('"typing":false'));

      const linus = await enter(served, "Linus", "kitchen");
      for (const text of ["Soup", "Bread"]) await say(linus, "kitchen", text);
      const kitchen = page.getByRole("link", { name: "#kitchen" });
      await kitchen.getByText("2 unread").waitFor();
      assert.equal(await page.title(), "(2) #lobby · Weir chat");
      await page.reload();
      await kitchen.getByText("2 unread").waitFor();
      await kitchen.click();
      await said(page, "Bread").waitFor();
      await kitchen.getByText("unread").waitFor({ state: "detached" });
      assert.equal(await page.title(), "#kitchen · Weir chat");
      for (const client of [ada, linus]) client.close();
    },
  },
);

await pageTest("chat", "the first screen of a phone is the messages, and rooms are a button away", {
  look: PHONE,
  async run(page) {
    await said(page, "The claim is sent.").waitFor();
    const { height } = (await page.getByRole("log").boundingBox())!;
    assert.ok(height > PHONE.viewport.height * 0.6, `the messages are ${height} pixels high`);
    const rooms = page.getByRole("navigation", { name: "Rooms" });
    assert.equal(await rooms.isVisible(), false);
    const button = page.getByRole("button", { name: "Rooms" });
    await button.click();
    await page.keyboard.press("Escape");
    await rooms.waitFor({ state: "hidden" });
    await button.click();
    await rooms.getByRole("link", { name: "#deliveries" }).click();
    await rooms.waitFor({ state: "hidden" });
    await said(page, "Gate 2 is closed until noon.").waitFor();
  },
});

await pageTest("notifications", "the commands of the README show something, and are read once", {
  async run(page, served) {
    await page.getByRole("heading", { name: "Version 7 is being built" }).waitFor();
    await page.getByRole("button", { name: "Mark all as read" }).click();
    assert.equal(await page.title(), "Weir notifications");

    const readme = await readFile(join(EXAMPLES, "notifications/README.md"), "utf8");
    const commands = [
      ...readme.matchAll(/curl --json '([^']+)'[\s\\]+http:\/\/localhost:3000(\S+)/g),
    ];
    assert.equal(commands.length, 2);
    for (const [, body, path] of commands) {
      const { title } = JSON.parse(body);
      assert.equal((await post(`${served.origin}${path}`, JSON.parse(body))).status, 201);
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
    }
    await page.getByText("2 unread").waitFor();
    assert.equal(await page.title(), "(2) Weir notifications");

    const newest = page.getByRole("list", { name: "Notifications, newest first" })
      .getByRole("listitem").first();
    await newest.getByText("just now").waitFor();
    await newest.getByRole("button", { name: /^Mark as read/ }).click();
    await page.reload();
    await page.getByText("1 unread").waitFor();
    assert.equal(await newest.getByRole("button").isVisible(), false);
    // What is read stays in its place while something new comes above it.
    await page.setViewportSize({ width: 1280, height: 400 });
    const oldest = page.getByRole("heading", { name: "Version 6 is out" });
    await oldest.scrollIntoViewIfNeeded();
    const before = (await oldest.boundingBox())!;
    await post(`${served.origin}/notifications`, { topic: "deploys", title: "Version 8 is out" });
    await page.getByRole("heading", { name: "Version 8 is out" }).waitFor({ state: "attached" });
    await nextFrame(page);
    assert.ok(Math.abs((await oldest.boundingBox())!.y - before.y) < 1, "it has moved");

    await page.clock.install({ time: Date.now() + 5 * 60_000 });
    await page.reload();
    await newest.getByText("5 minutes ago", { exact: true }).waitFor();
    await page.clock.fastForward("02:00");
    await newest.getByText("7 minutes ago", { exact: true }).waitFor();
  },
});

await pageTest("dashboard", "a chart tells its limits, and any reading in it", {
  async run(page) {
    const card = page.getByRole("listitem").filter({ hasText: "orders open" });
    const figure = card.locator(".figure strong");
    await figure.waitFor();
    const values = await page.evaluate<readonly number[]>(`fetch("/readings")
      .then((answer) => answer.json())
      .then((all) => all.filter(({ metric }) => metric === "orders_open").map(({ value }) => value))`);
    const shown = async () => Number(await figure.textContent());
    for (const text of [`max ${Math.max(...values)}`, `min ${Math.min(...values)}`]) {
      await card.getByText(text, { exact: true }).waitFor();
    }
    assert.equal(await shown(), values.at(-1));

    const { x, y, height } = (await card.locator(".plot").boundingBox())!;
    await page.mouse.move(x + 1, y + height / 2);
    assert.equal(await shown(), values[0]);
    await page.mouse.move(x, y - 100);
    assert.equal(await shown(), values.at(-1));

    const slider = card.getByRole("slider", { name: "Reading of orders open" });
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    assert.equal(await shown(), values.at(-2));
    assert.match(
      await slider.getAttribute("aria-valuetext") ?? "",
      new RegExp(`^${values.at(-2)} `),
    );
  },
});

/** Runs on the page of a scene with its content, in one look. */
async function pageTest(
  name: string,
  title: string,
  { look = DESKTOP, run }: {
    readonly look?: Look;
    readonly run: (page: Page, served: Served) => Promise<void>;
  },
): Promise<void> {
  const scene = scenes.find((each) => each.name === name)!;
  await serviceTest(
    "chromium",
    `pages: ${name}: ${title}`,
    () =>
      withStage("deno", async (stage) => {
        const served = await serve(stage, scene, EXAMPLES);
        const end = await scene.fill(served);
        const page = await openPage(await (shared ??= openBrowser()), scene, served, look);
        const problems: string[] = [];
        page.on("pageerror", (error) => problems.push(String(error)));
        try {
          await run(page, served);
          assert.deepEqual(problems, []);
        } finally {
          await page.context().close();
          end();
        }
      }),
  );
}

async function enter(
  { origin }: Served,
  name: string,
  room: string,
  presence = false,
): Promise<WebClient> {
  const url = `${origin.replace("http", "ws")}/ws?user_id=user-${name}&name=${name}`;
  const client = await WebClient.open(url);
  await client.request({ type: "join_room", room, presence });
  return client;
}

async function say(client: WebClient, room: string, text: string): Promise<void> {
  await client.request({ type: "message", data: { id: crypto.randomUUID(), room, text } });
}

function said(page: Page, text: string | RegExp) {
  return page.getByRole("log").locator(".text").filter({ hasText: text });
}

async function nextFrame(page: Page): Promise<void> {
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))");
}

/** Whether the newest message can be seen, a moment after the last change. */
async function isAtEnd(page: Page): Promise<boolean> {
  await nextFrame(page);
  return await page.evaluate("log.scrollHeight - log.scrollTop - log.clientHeight < 2");
}
