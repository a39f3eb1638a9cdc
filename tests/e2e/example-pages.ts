/** What the tests of the examples' pages share: an example at work, and a browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";
import { type Browser, type BrowserContext, openBrowser, type Page } from "../support/browser.ts";
import { openStage, root, type Stage, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";

/** What all tests share: it takes longer to start than most of them. */
let shared: Promise<Browser> | undefined;
after(async () => await (await shared)?.close());

/** By how many pixels the page is wider and higher than the window. */
export const OVERFLOW = `[document.documentElement].map((page) => [
  page.scrollWidth - page.clientWidth,
  page.scrollHeight - page.clientHeight,
])[0]`;
/** A running example and a browser. */
export interface World {
  readonly stage: Stage;
  readonly weir: Weir;
  readonly browser: BrowserContext;
  /** What pages complained of. */
  readonly complaints: string[];
}

/** A test with an example of the folder `examples` at work; no page of it may complain. */
export async function browserTest(
  name: string,
  run: (world: World) => Promise<void>,
  example = "chat",
): Promise<void> {
  await serviceTest("chromium", name, async () => {
    shared ??= openBrowser();
    const stage = await openStage("deno");
    // A profile of its own: no cookie and no storage of another test.
    const browser = await (await shared).newContext();
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

/** Starts an example with a database of its own, on a port. */
export function startExample(example: string, stage: Stage, port: number): Promise<Weir> {
  const env = { [`${example.toUpperCase()}_DB`]: join(stage.folder, "example.db") };
  const connector = CONNECTORS[example] ?? "ws";
  const args = [join(root, "examples", example), "--port", `${connector}=${port}`];
  return stage.run(args, { env });
}

/** Opens the page in a tab of its own; `who` stands in complaints. */
export async function openPage({ browser, weir, complaints }: World, who: string): Promise<Page> {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => complaints.push(`${who}: ${error}`));
  tab.on("console", (entry) => {
    // The browser itself reports every attempt to connect that fails.
    const expected = /ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED/.test(entry.text());
    if (entry.type() === "error" && !expected) complaints.push(`${who}: ${entry.text()}`);
  });
  await tab.goto(`http://localhost:${weir.port}/`);
  return tab;
}

/** No page is wider than its window, down to a small phone's. */
export async function fits(page: Page): Promise<void> {
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const [excess] = await page.evaluate<readonly number[]>(OVERFLOW);
    assert.equal(excess, 0, `${width} pixels wide`);
  }
}
