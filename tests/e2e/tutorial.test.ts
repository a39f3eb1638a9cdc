/** docs/tutorial.md is followed word by word on every runtime, with Deno also in a browser. */
import assert from "node:assert/strict";
import { type BrowserContext, openBrowser, type Page } from "../support/browser.ts";
import { onAllRuntimes } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { followTutorial, type Tabs } from "../support/tutorial.ts";

await serviceTest("chromium", "the tutorial is right, on every runtime", async () => {
  const browser = await openBrowser();
  try {
    const tabs = tabsOf(await browser.newContext());
    // It waits most of the time.
    await onAllRuntimes((stage) =>
      followTutorial(stage, stage.runtime === "deno" ? tabs : undefined)
    );
  } finally {
    await browser.close();
  }
});

function tabsOf(context: BrowserContext): Tabs {
  let tabs: Page[] = [];
  return {
    async open(urls) {
      assert.equal(urls.length, 2);
      tabs = await Promise.all(urls.map(async (url) => {
        const tab = await context.newPage();
        await tab.goto(url);
        await tab.getByText("open", { exact: true }).waitFor();
        return tab;
      }));
    },
    async say(tab, text) {
      const field = tabs[tab].getByLabel("Message");
      await field.fill(text);
      await field.press("Enter");
    },
    async reload() {
      for (const tab of tabs) await tab.reload();
    },
    async close(tab) {
      await tabs[tab].close();
      tabs.splice(tab, 1);
    },
    async shows(kind, text) {
      const role =
        ({ message: "listitem", heading: "heading", status: "paragraph" } as const)[kind];
      for (const tab of tabs) await tab.getByRole(role).getByText(text, { exact: true }).waitFor();
    },
  };
}
