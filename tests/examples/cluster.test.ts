/** The chat on three instances, as its script starts it, in a real browser. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { openBrowser, type Page } from "../support/browser.ts";
import { keptPorts } from "../support/ports.ts";
import { commandFile, openStage, type Process, root, type Stage } from "../support/process.ts";
import { service, serviceTest } from "../support/services.ts";
import { pause, until } from "../support/socket-probe.ts";
import { needTool, type Tool } from "../support/toolchain.ts";

const example = join(root, "examples/cluster");

/** Starts the script, whose instances run on this runtime. Returns the port of the page. */
async function startScript(stage: Stage, runtime: Tool): Promise<[Process, number]> {
  // The page, three instances and Redis.
  const [port] = await keptPorts(5);
  const words = [await needTool(runtime), join(root, commandFile(runtime))];
  if (runtime === "deno") words.splice(1, 0, "run", "-A");
  const env = { PORT: String(port), WEIR: words.join(" ") };
  const options = { env, leader: true };
  const script = stage.command("sh", [join(example, "start.sh")], options);
  await until("three instances", () => ready(script) === 3, 50, 60_000);
  await until("the load balancer", () => answers(port), 50);
  return [script, port];
}

function ready({ stdout }: Process): number {
  return stdout.split(" is ready in ").length - 1;
}

async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}

async function openTab(browser: { newPage(): Promise<Page> }, port: number, name: string) {
  const tab = await browser.newPage();
  await tab.goto(`http://localhost:${port}/`);
  await tab.getByRole("button", { name: "Change your name" }).click();
  await tab.getByRole("textbox", { name: "Your name" }).fill(name);
  await tab.keyboard.press("Enter");
  await tab.getByText(new RegExp(`^Here: .*\\b${name}\\b`)).waitFor();
  return tab;
}

async function say(tab: Page, text: string): Promise<void> {
  const field = tab.getByLabel("Message", { exact: true });
  await field.fill(text);
  await field.press("Enter");
}

function said(tab: Page, text: string) {
  return tab.getByRole("log").getByText(text, { exact: true });
}

function textsOf(tab: Page): Promise<string[]> {
  return tab.locator("#messages .text").allTextContents();
}

/** What a page shows from here on: other lists of people, loads of messages, a lost connection. */
interface Seen {
  readonly people: readonly string[];
  readonly loads: number;
  readonly isCut: boolean;
}
const WATCH = `(() => {
  const [people, state] = ["people", "state"].map((id) => document.getElementById(id));
  const before = people.textContent;
  const watched = globalThis.watched = { people: [], loads: 0, isCut: false };
  new MutationObserver(() => {
    if (people.textContent !== before) watched.people.push(people.textContent);
  }).observe(people, { childList: true });
  new MutationObserver(() => watched.isCut = true).observe(state, { attributes: true });
  const { fetch } = globalThis;
  globalThis.fetch = (path) => {
    if (path.startsWith("/rooms/")) watched.loads++;
    return fetch(path);
  };
})()`;

const needed = ["chromium", "caddy", "redis-server"] as const;
const found = await Promise.all(needed.map(service));
const missing = needed.find((_, index) => !found[index].ok);
const name = "cluster: two tabs on two instances talk, also while each instance is killed";

await serviceTest(missing ?? "chromium", name, async () => {
  const stage = await openStage("node");
  const browser = await openBrowser();
  try {
    const [script, port] = await startScript(stage, "node");
    const ada = await openTab(browser, port, "Ada");
    const bob = await openTab(browser, port, "Bob");
    for (const tab of [ada, bob]) await tab.getByText("Here: Ada, Bob").waitFor();
    await say(ada, "Hello Bob");
    await said(bob, "Hello Bob").waitFor();
    const texts = ["Hello Bob"];
    let cuts = 0;
    for (const number of [1, 2, 3]) {
      await Promise.all([ada, bob].map((tab) => tab.evaluate(WATCH)));
      script.type("\n");
      await script.says(new RegExp(`killing instance ${number}`));
      // Written while it is away: the page sends it again when it is connected.
      await say(ada, `Ada ${number}`);
      await say(bob, `Bob ${number}`);
      texts.push(`Ada ${number}`, `Bob ${number}`);
      for (const tab of [ada, bob]) {
        for (const name of ["Ada", "Bob"]) await said(tab, `${name} ${number}`).waitFor();
        await tab.getByText("Sending…").first().waitFor({ state: "detached" });
      }
      await until("its next start", () => ready(script) === 3 + number, 50, 30_000);
      // The load balancer looks once a second.
      await pause(1_500);
      const shown = await Promise.all([ada, bob].map(textsOf));
      // Each text is there once, in the same order in both.
      assert.deepEqual(shown[0].toSorted(), texts.toSorted());
      assert.deepEqual(shown[1], shown[0]);
      const seen = await Promise.all([ada, bob].map((tab) => tab.evaluate<Seen>("watched")));
      assert.deepEqual(seen.map(({ loads }) => loads), [0, 0], "Redis has all that was missed");
      const [cut, others] = [seen.filter((one) => one.isCut), seen.filter((one) => !one.isCut)];
      for (const { people } of others) assert.deepEqual(people, []);
      if (others.length > 0) cuts += cut.length;
    }
    assert.ok(cuts > 0, "one tab was cut, and the other one saw nothing of it");
    script.signal("SIGINT");
    await script.ended();
    assert.ok(!await answers(port));
    const left = await new Promise<string>((resolve) =>
      execFile("pgrep", ["-f", `port ${port + 4}`], (_, stdout) => resolve(stdout))
    );
    assert.equal(left, "", "Redis has ended as well");
  } finally {
    await browser.close();
    await stage.end();
  }
});
