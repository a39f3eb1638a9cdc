/** Runs scenes: one server for each, and pages in the sizes and colours of the pictures. */
import { join } from "node:path";
import type { Browser, Page } from "../browser.ts";
import { keptPort } from "../ports.ts";
import type { Stage } from "../process.ts";
import type { Scene, Served } from "./scene.ts";

/** The sizes of windows, with the colours that the user prefers. */
export const LOOKS = [
  { name: "desktop-light", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
] as const;

/** One of them. */
export type Look = typeof LOOKS[number];

/** Starts the server of a scene, with a database of its own. */
export async function serve(stage: Stage, scene: Scene, examples: string): Promise<Served> {
  const database = join(stage.folder, `${scene.name}.db`);
  const port = await keptPort();
  const origin = `http://localhost:${port}`;
  const args = [join(examples, scene.example), "--port", `${scene.connector}=${port}`];
  const env = { ...scene.env?.(origin), [scene.database]: database };
  const weir = await stage.run(args, { env });
  const stop = async () => {
    weir.signal("SIGINT");
    await weir.ended();
  };
  return { origin, database, stop };
}

/**
 * Opens the page of a scene in a profile of its own, in one of the looks. `script` runs in it before
 * its own scripts. The caller must close its context.
 */
export async function openPage(
  browser: Browser,
  scene: Scene,
  { origin }: Served,
  { viewport, colorScheme }: Look,
  script = "",
): Promise<Page> {
  const context = await browser.newContext({ viewport, colorScheme, locale: "en-GB" });
  await context.addInitScript(`${scene.script ?? ""}${script}`);
  const page = await context.newPage();
  await page.goto(origin);
  return page;
}
