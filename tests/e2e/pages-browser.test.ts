/**
 * What holds for all pages of the examples, in light and dark colours, on a desktop and on a phone: axe
 * finds nothing, nothing moves when the page loads and while messages come, the keyboard reaches
 * everything, and a page without a connection says so.
 */
// Deno alone runs this file, and nothing else needs the package: it is named here.
// deno-lint-ignore-file no-import-prefix
import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";
import axe from "npm:axe-core@^4.14.1";
import { type Browser, openBrowser, type Page } from "../support/browser.ts";
import { root, withStage } from "../support/process.ts";
import { scenes } from "../support/scenes/mod.ts";
import type { Scene } from "../support/scenes/scene.ts";
import { LOOKS, openPage, serve } from "../support/scenes/stage.ts";
import { serviceTest } from "../support/services.ts";

/** The most that may move: the limit of a good page is 0.1. */
const MOST_SHIFT = 0.05;

let shared: Promise<Browser> | undefined;
after(async () => await (await shared)?.close());

/** Everything that can be used, as far as it is shown. */
const USABLE = `[...document.querySelectorAll(
  "a[href], button:enabled, input, select, textarea, summary, [tabindex='0']"
)].filter((element) => element.checkVisibility({ visibilityProperty: true }))`;

/** The styles that would move something. */
const MOTION =
  `[...document.querySelectorAll("*")].map((element) => getComputedStyle(element)).filter(
  ({ transitionDuration, animationName, scrollBehavior }) =>
    transitionDuration !== "0s" || animationName !== "none" || scrollBehavior !== "auto"
).length`;

/** Notes how far the page has moved what its reader sees, and what moved. */
const OBSERVE = `
globalThis.shifts = [];
const note = (entries) => {
  for (const { value, hadRecentInput, sources } of entries) {
    const moved = sources.map(({ node }) => node?.outerHTML?.slice(0, 100) ?? node?.nodeName);
    if (!hadRecentInput) shifts.push({ value, moved });
  }
};
const observer = new PerformanceObserver((list) => note(list.getEntries()));
observer.observe({ type: "layout-shift", buffered: true });
/** All of them, also those of the newest frame. */
globalThis.allShifts = () => new Promise((done) =>
  requestAnimationFrame(() => setTimeout(() => {
    note(observer.takeRecords());
    done(shifts);
  }))
);
`;

for (const scene of scenes) {
  await serviceTest(
    "chromium",
    `pages: ${scene.name} can be used by all, and holds still`,
    () =>
      withStage("deno", async (stage) => {
        shared ??= openBrowser();
        const served = await serve(stage, scene, join(root, "examples"));
        const end = await scene.fill(served);
        const pages: Page[] = [];
        try {
          for (const look of LOOKS) {
            const page = await openPage(await shared, scene, served, look, OBSERVE);
            pages.push(page);
            await page.getByText(scene.filled).first().waitFor();
          }
          await scene.play(served);
          for (const [index, page] of pages.entries()) {
            await page.getByText(scene.played).first().waitFor({ state: "attached" });
            await checkPage(page, `${scene.name}, ${LOOKS[index].name}`, scene);
          }
          await checkKeyboard(pages[0]);
          await served.stop();
          for (const page of pages) await checkOffline(page);
        } finally {
          await Promise.all(pages.map((page) => page.context().close()));
          end();
        }
      }),
  );
}

async function checkPage(page: Page, name: string, scene: Scene): Promise<void> {
  const shifts = await page.evaluate<readonly { readonly value: number }[]>("allShifts()");
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  assert.ok(sum < MOST_SHIFT, `${name} moved by ${sum}: ${JSON.stringify(shifts, null, 2)}`);
  await scene.use?.(page);
  assert.deepEqual(await violations(page), [], name);
}

async function checkKeyboard(page: Page): Promise<void> {
  await page.bringToFront();
  await page.emulateMedia({ reducedMotion: "reduce" });
  assert.equal(await page.evaluate(MOTION), 0, "something moves with reduced motion");
  const count = await page.evaluate<number>(`(globalThis.left = new Set(${USABLE})).size`);
  assert.ok(count >= 5, `${count} elements can be used`);
  await page.evaluate("document.activeElement.blur()");
  // A group of radio buttons or a field of a date would take other keys; there are none.
  for (let press = 0; press < count + 2; press++) {
    await page.keyboard.press("Tab");
    await page.evaluate("left.delete(document.activeElement)");
  }
  const missed = await page.evaluate("[...left].map(({ outerHTML }) => outerHTML)");
  assert.deepEqual(missed, [], "the keyboard does not reach it");
}

async function checkOffline(page: Page): Promise<void> {
  await page.getByRole("status").getByText("Offline").waitFor();
  await page.getByRole("button", { name: "Try now" }).waitFor();
  const excess = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  assert.equal(await page.evaluate(excess), 0, "the page is wider than its window");
}

/** What axe finds, in a line each. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate<readonly string[]>(`axe.run().then(({ violations }) =>
    violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, any }) => [id, help, html, any[0]?.message].join(" | "))
    )
  )`);
}
