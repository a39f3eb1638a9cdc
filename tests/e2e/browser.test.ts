/** The chat in a real browser. */
import assert from "node:assert/strict";
import type { Locator, Page } from "../support/browser.ts";
import { pause } from "../support/socket-probe.ts";
import { post } from "../support/web-client.ts";
import { browserTest, openPage, OVERFLOW, startExample, type World } from "./example-pages.ts";

await browserTest("browser: two tabs chat, and find it all after a reload", async (world) => {
  const ada = await openTab(world, "Ada");
  const bob = await openTab(world, "Bob");
  await ada.getByText("is now Bob").waitFor();
  // Another name is another connection of the same user: nobody leaves.
  await ada.getByText("Here: Ada, Bob").waitFor();
  assert.equal(await ada.getByText(/ left$/).count(), 0);
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
  await bob.getByRole("button", { name: "Change your name: Bob" }).waitFor();
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
    forgetShutdown(complaints);

    await startExample("chat", stage, weir.port);
    await ada.getByText("Connected").waitFor();
    await ada.getByText("Sending…").waitFor({ state: "detached" });
    const bob = await openTab(world, "Bob");
    await said(bob, "Are you there?").waitFor();
    assert.deepEqual(await bob.locator("#messages .text").allTextContents(), ["Are you there?"]);
  },
);

await browserTest(
  "browser: a message reaches its room though the page has gone to another one",
  async (world) => {
    const { weir, stage, complaints } = world;
    const ada = await openTab(world, "Ada");
    weir.signal("SIGINT");
    await weir.ended();
    await ada.getByText("Offline").waitFor();
    await say(ada, "For the lobby");
    await ada.getByRole("link", { name: "#kitchen" }).click();
    await say(ada, "For the kitchen");
    forgetShutdown(complaints);

    await startExample("chat", stage, weir.port);
    await ada.locator(".own:not([data-state])", { hasText: "For the kitchen" }).waitFor();
    const bob = await openTab(world, "Bob");
    await said(bob, "For the lobby").waitFor();
    assert.deepEqual(await bob.locator("#messages .text").allTextContents(), ["For the lobby"]);
    await ada.getByRole("link", { name: "#lobby" }).click();
    await ada.locator(".own:not([data-state])", { hasText: "For the lobby" }).waitFor();
  },
);

await browserTest(
  "browser: the button tries at once, also under a changed name",
  async (world) => {
    const { weir, stage, complaints, browser } = world;
    // No timer of the page ends while this clock is stopped.
    await browser.clock.install();
    const ada = await openTab(world, "Ada");
    weir.signal("SIGINT");
    await weir.ended();
    await ada.getByText("Offline").waitFor();
    forgetShutdown(complaints);
    await browser.clock.pauseAt(Date.now() + 3_600_000);
    await ada.getByText("Offline").waitFor();
    await changeName(ada, "Grace");
    await say(ada, "Under my new name");

    await startExample("chat", stage, weir.port);
    await ada.getByRole("button", { name: "Try now" }).click();
    await ada.getByText("Connected").waitFor();
    await ada.getByText("Here: Grace").waitFor();
    await ada.locator(".own:not([data-state])", { hasText: "Under my new name" }).waitFor();
  },
);

await browserTest(
  "browser: a tab whose network is away for 20 s loses nothing, and nobody sees it go",
  async (world) => {
    const ada = await openTab(world, "Ada");
    // A context of its own: the switch of the network is that of a context.
    const away = await world.browser.browser()!.newContext();
    try {
      const bob = await openTab({ ...world, browser: away }, "Bob");
      await say(ada, "Before");
      await said(bob, "Before").waitFor();
      await ada.getByText("Here: Ada, Bob").waitFor();
      await Promise.all([ada, bob].map((tab) => tab.evaluate(WATCH)));

      // An open WebSocket goes silent, without an end; a new one is refused at once.
      await away.setOffline(true);
      const end = performance.now() + 20_000;
      await say(ada, "1");
      await say(bob, "Into the silence");
      await bob.getByText("Offline").waitFor();
      await say(bob, "Offline");
      for (const text of ["2", "3"]) await say(ada, text);
      assert.equal(await bob.getByText("Sending…").count(), 2);
      assert.equal(await said(bob, "1").count(), 0);
      await pause(end - performance.now());
      await away.setOffline(false);

      const texts = ["Before", "1", "2", "3", "Into the silence", "Offline"];
      for (const tab of [ada, bob]) {
        await tab.locator("#messages .text").nth(texts.length - 1).waitFor();
        await tab.getByText("Sending…").first().waitFor({ state: "detached" });
        await said(tab, "Offline").waitFor();
      }
      await say(bob, "After");
      await said(ada, "After").waitFor();
      await bob.locator(".own:not([data-state])", { hasText: "After" }).waitFor();
      for (const tab of [ada, bob]) {
        const shown = await tab.locator("#messages .text").allTextContents();
        assert.deepEqual(shown, [...texts, "After"]);
        assert.deepEqual(await tab.evaluate(WATCHED), { people: [], notices: [], loads: 0 });
      }
    } finally {
      await away.close();
    }
  },
);

await browserTest(
  "browser: after a restart of the server the messages are loaded anew",
  async (world) => {
    const { weir, stage, complaints } = world;
    const [ada, bob] = [await openTab(world, "Ada"), await openTab(world, "Bob")];
    await say(ada, "Before");
    await said(bob, "Before").waitFor();
    await bob.getByText("Here: Ada, Bob").waitFor();
    for (const tab of [ada, bob]) await tab.evaluate(WATCH);
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0, weir.output);
    for (const tab of [ada, bob]) await tab.getByText("Offline").waitFor();
    await say(ada, "Between");
    forgetShutdown(complaints);

    await startExample("chat", stage, weir.port);
    await ada.locator(".own:not([data-state])", { hasText: "Between" }).waitFor();
    await said(bob, "Between").waitFor();
    for (const tab of [ada, bob]) {
      await tab.getByText("Here: Ada, Bob").waitFor();
      const { loads } = await tab.evaluate<{ readonly loads: number }>(WATCHED);
      assert.equal(loads, 1);
      const texts = await tab.locator("#messages .text").allTextContents();
      assert.deepEqual(texts, ["Before", "Between"]);
    }
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
    await ada.locator(".own:not([data-state])", { hasText: "Shorter" }).waitFor();
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
      "change-name",
      "#kitchen",
      "room",
      "log",
      "text",
      "Send",
    ];
    for (const name of expected) assert.ok(reached.has(name), `${name} in ${[...reached]}`);
  },
);

/** The id of what has the focus, or its text. */
const FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()";

/** Notes what the page shows from here on: other texts of the list of people, notices, loads. */
const WATCH = `(() => {
  const people = document.getElementById("people");
  const watched = globalThis.watched = { people: [], notices: [], loads: 0 };
  const before = people.textContent;
  new MutationObserver(() => {
    if (people.textContent !== before) watched.people.push(people.textContent);
  }).observe(people, { childList: true });
  new MutationObserver((changes) => {
    for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (node.className === "notice") watched.notices.push(node.textContent);
    }
  }).observe(document.getElementById("messages"), { childList: true });
  const { fetch } = globalThis;
  globalThis.fetch = (path) => {
    if (path.startsWith("/rooms/")) watched.loads++;
    return fetch(path);
  };
})()`;
const WATCHED = "watched";

/** A server that shuts down refuses with 503 whose connection it has accepted before. */
function forgetShutdown(complaints: string[]): void {
  const others = complaints.splice(0).filter((text) => !text.includes("response code: 503"));
  complaints.push(...others);
}

/** Opens the chat in a tab of its own, under a name. */
async function openTab(world: World, name: string): Promise<Page> {
  const tab = await openPage(world, name);
  await changeName(tab, name);
  await tab.getByText(new RegExp(`^Here: .*\\b${name}\\b`)).waitFor();
  return tab;
}

async function changeName(tab: Page, name: string): Promise<void> {
  await tab.getByRole("button", { name: "Change your name" }).click();
  await tab.getByRole("textbox", { name: "Your name" }).fill(name);
  await tab.keyboard.press("Enter");
}

async function say(tab: Page, text: string): Promise<void> {
  const field = tab.getByLabel("Message", { exact: true });
  await field.fill(text);
  await field.press("Enter");
}

function said(tab: Page, text: string): Locator {
  return tab.getByRole("log").getByText(text, { exact: true });
}
