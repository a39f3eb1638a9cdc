/**
 * Takes the pictures of the examples' pages: `deno task screenshots`. With a folder of examples and a
 * folder for pictures it takes those of other examples, such as those of an earlier commit.
 */
import { join } from "node:path";
import { openStage, root } from "../../tests/support/process.ts";
import { scenes } from "../../tests/support/scenes/mod.ts";
import { openBrowser } from "../../tests/support/browser.ts";
import { LOOKS, openPage, serve } from "../../tests/support/scenes/stage.ts";

const [examples = join(root, "examples"), pictures = join(root, "docs/screenshots")] = Deno.args;

await Deno.mkdir(pictures, { recursive: true });
const browser = await openBrowser();
for (const scene of scenes) {
  const stage = await openStage("deno");
  try {
    const served = await serve(stage, scene, examples);
    const end = await scene.fill(served);
    const pages = [];
    for (const look of LOOKS) {
      const page = await openPage(browser, scene, served, look);
      await page.getByText(scene.filled).first().waitFor({ state: "attached" });
      pages.push([look, page] as const);
    }
    await scene.play(served);
    for (const [look, page] of pages) {
      await page.getByText(scene.played).first().waitFor({ state: "attached" });
      await page.bringToFront();
      // Earlier pages may lack what it presses.
      if (Deno.args.length === 0) await scene.use?.(page);
      await page.mouse.move(0, 0);
      // The browser itself writes WebP, which is a third of the size of PNG.
      const devtools = await page.context().newCDPSession(page);
      const { data } = await devtools.send("Page.captureScreenshot", {
        format: "webp",
        quality: 80,
      });
      const file = join(pictures, `${scene.name}-${look.name}.webp`);
      await Deno.writeFile(file, Uint8Array.fromBase64(data));
      console.log(file);
      await page.context().close();
    }
    end();
  } finally {
    await stage.end();
  }
}
await browser.close();
