/** What a page of another origin, in a real browser, can do with an admin port: nothing. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Browser, openBrowser, type Page } from "../support/browser.ts";
import { adminPortOf } from "../support/admin.ts";
import { runtimes, type Stage, withStage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

/** Tries everything that a page has, and tells what it saw. */
const PAGE = `<!doctype html>
<title>another origin</title>
<script>
  const timed = (start) => new Promise((resolve) => start(resolve));
  window.attempts = {
    fetch: (url) => fetch(url).then((r) => r.text()),
    credentials: (url) => fetch(url, { credentials: "include" }).then((r) => r.text()),
    noCors: (url) => fetch(url, { mode: "no-cors" }).then((r) => r.text()),
    post: (url) => fetch(url, { method: "POST" }).then((r) => r.text()),
    noCorsPost: (url) => fetch(url, { method: "POST", mode: "no-cors", body: "x" }).then((r) => r.text()),
    preflight: (url) => fetch(url, { method: "DELETE" }).then((r) => r.text()),
    authorization: (url) =>
      fetch(url, { headers: { authorization: "Bearer x" } }).then((r) => r.text()),
    events: (url) => timed((resolve) => {
      const events = new EventSource(url);
      events.onopen = () => resolve("open");
      events.onmessage = ({ data }) => resolve(data);
      events.onerror = () => {
        events.close();
        resolve("");
      };
    }),
    socket: (url) => timed((resolve) => {
      const socket = new WebSocket(url.replace("http", "ws"));
      socket.onopen = () => resolve("open");
      socket.onclose = () => resolve("");
    }),
    script: (url) => timed((resolve) => {
      const script = document.head.appendChild(document.createElement("script"));
      script.onload = () => resolve("loaded");
      script.onerror = () => resolve("");
      script.src = url;
    }),
    image: (url) => timed((resolve) => {
      const image = new Image();
      image.onload = () => resolve("loaded");
      image.onerror = () => resolve("");
      image.src = url;
    }),
    frame: (url) => timed((resolve) => {
      const frame = document.body.appendChild(document.createElement("iframe"));
      frame.onload = () => resolve(frame.contentDocument?.body.textContent ?? "");
      frame.src = url;
    }),
    form: (url) => timed((resolve) => {
      const frame = document.createElement("iframe");
      frame.name = "answer" + document.querySelectorAll("iframe").length;
      document.body.append(frame);
      const form = document.createElement("form");
      form.action = url;
      form.method = "post";
      form.target = frame.name;
      document.body.append(form);
      // A document of another origin is null; the first one is empty, and the page's own.
      frame.onload = () => {
        const text = frame.contentDocument?.body.textContent;
        if (text !== "") resolve(text ?? "");
      };
      form.submit();
    }),
  };
  window.attempt = (name, url) => attempts[name](url).catch(() => "");
</script>
`;

/** What a request of the page was answered, as the browser saw it. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** A page of another origin, and what the admin port answered to it. */
async function foreignPage(browser: Browser, url: string): Promise<{ page: Page; seen: Seen[] }> {
  const page = await (await browser.newContext()).newPage();
  const seen: Seen[] = [];
  await page.goto(url);
  page.on("response", (response) => {
    const { pathname: path } = new URL(response.url());
    seen.push({ method: response.request().method(), path, status: response.status() });
  });
  return { page, seen };
}

function attempt(page: Page, name: string, url: string): Promise<string> {
  return page.evaluate(`attempt(${JSON.stringify(name)}, ${JSON.stringify(url)})`);
}

async function startAdmin(stage: Stage, lines: string): Promise<number> {
  const config = `service {\n  name = "chat"\n  admin_port = 0\n${lines}}\n` +
    'connector "ws" {\n  type = "websocket"\n  port = 0\n}\n';
  await writeFile(join(stage.folder, "chat.hcl"), config);
  const weir = await stage.run(["chat.hcl"]);
  return await adminPortOf(weir);
}

const ATTEMPTS = [
  ...["fetch", "credentials", "noCors", "post", "noCorsPost", "preflight", "authorization"],
  ...["events", "socket", "script", "image", "frame", "form"],
];

await serviceTest(
  "chromium",
  "a page of another origin sees nothing of an admin port",
  async () => {
    const attacker = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end(PAGE);
    });
    await new Promise<void>((resolve) => attacker.listen(0, "127.0.0.1", resolve));
    const { port: ownPort } = attacker.address() as AddressInfo;
    const browser = await openBrowser([
      // A name of the attacker's that leads to this machine.
      "--host-resolver-rules=MAP evil.test 127.0.0.1",
    ]);
    try {
      for (const runtime of runtimes) {
        await withStage(runtime, async (stage) => {
          await attack(browser, stage, ownPort);
        });
      }
    } finally {
      await browser.close();
      attacker.close();
    }
  },
);

async function attack(browser: Browser, stage: Stage, ownPort: number): Promise<void> {
  const where = `on ${stage.runtime}`;
  const open = await startAdmin(stage, "");
  // A page of this machine is of another origin as well, if only its port differs.
  for (const origin of [`http://evil.test:${ownPort}`, `http://localhost:${ownPort}`]) {
    const { page, seen } = await foreignPage(browser, origin);
    for (const host of ["127.0.0.1", "localhost"]) {
      for (const name of ATTEMPTS) {
        const text = await attempt(page, name, `http://${host}:${open}/status`);
        assert.equal(text, "", `${name} from ${origin} to ${host}, ${where}`);
      }
    }
    // The browser sent what changes something, too, and the port refused it.
    const changes = seen.filter(({ method, path }) => method !== "GET" && path === "/status");
    const refused = changes.filter(({ status }) => status === 403);
    assert.ok(refused.length > 0, `${JSON.stringify(seen)} ${where}`);
    assert.deepEqual(changes.filter(({ status }) => status !== 403), [], where);
    await page.close();
  }

  // DNS rebinding: the page is of the attacker's name and the port's number, so it may read answers.
  const { page: rebound } = await foreignPage(browser, `http://evil.test:${open}/status`);
  const told = await rebound.evaluate(
    'fetch("/status").then(async (r) => [r.status, await r.text()])',
  );
  const [status, text] = told as [number, string];
  assert.equal(status, 421, where);
  assert.ok(!text.includes("connectors"), text);
  await rebound.close();

  // The port's own page may ask: POST reaches the routes, where there is no such path yet.
  const { page: own } = await foreignPage(browser, `http://localhost:${open}/health/live`);
  const asked = await own.evaluate(
    '(async () => [(await fetch("/status")).status, (await fetch("/x", { method: "POST" })).status])()',
  );
  assert.deepEqual(asked, [200, 404], where);
  await own.close();

  const closed = await startAdmin(stage, `  admin_token = "${TOKEN}"\n`);
  const { page, seen } = await foreignPage(browser, `http://evil.test:${ownPort}`);
  for (const name of ATTEMPTS) {
    const text = await attempt(page, name, `http://localhost:${closed}/status`);
    assert.equal(text, "", `${name} with a token, ${where}`);
  }
  const others = seen.filter(({ path, status }) => path === "/status" && status !== 401);
  assert.ok(seen.some(({ status }) => status === 401), `${JSON.stringify(seen)} ${where}`);
  assert.deepEqual(others, [], where);
  await page.close();
  stage.assertSound();
}
