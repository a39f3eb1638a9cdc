/** What a page in a real browser can see of a refusal: all of it with `weir.1`, nothing without. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser } from "../support/browser.ts";
import { forge, SECRET, sign } from "../support/auth.ts";
import { openStage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";

const CONFIG = `
connector "door" {
  type   = "websocket"
  port   = 0
  path   = "/door"
  static = "./public"
}
connector "private" {
  type = "websocket"
  port = 0
  path = "/private"
  auth {
    jwt {
      secret = "${SECRET}"
    }
  }
}
connector "elsewhere" {
  type    = "websocket"
  port    = 0
  path    = "/elsewhere"
  origins = ["https://example.com"]
}
connector "small" {
  type            = "websocket"
  port            = 0
  path            = "/small"
  max_connections = 1
}
flow "door" {
  from {
    connector = "door"
    operation = "connect"
  }
  accept {
    when = "client.params.kind != 'rejected'"
  }
  reject {
    when    = "client.params.kind == 'own'"
    code    = "no_member"
    message = "members only"
  }
  reject {
    when = "client.params.kind == 'failed' && int(client.params.kind) == 1"
    code = "never"
  }
}
`;

/** Connects with subprotocols, and shows what comes of it in a line of the list. */
const PAGE = `<!doctype html>
<title>refusals</title>
<ol id="seen"></ol>
<script>
  window.sockets = [];
  window.ask = (path, protocols) => new Promise((resolve) => {
    const line = document.querySelector("#seen").appendChild(document.createElement("li"));
    const socket = new WebSocket("ws://" + location.host + path, protocols);
    sockets.push(socket);
    const show = (text) => resolve(line.textContent = text);
    const heard = [];
    socket.onmessage = ({ data }) => {
      const { type, code, message, retry_after_ms: wait } = JSON.parse(data);
      if (type === "pong") show(socket.protocol + " | open");
      heard.push([type, code, message, wait].filter((one) => one !== undefined).join(" "));
    };
    socket.onclose = ({ code, reason, wasClean }) =>
      show([socket.protocol, ...heard, code, reason, wasClean].join(" | "));
    // Only a client that was let in gets an answer.
    socket.onopen = () => socket.send('{"type":"ping"}');
  });
</script>
`;

await serviceTest("chromium", "a page sees why it is refused where it offers weir.1", async () => {
  const stage = await openStage("deno");
  const browser = await openBrowser();
  try {
    await mkdir(join(stage.folder, "app/public"), { recursive: true });
    await writeFile(join(stage.folder, "app/app.hcl"), CONFIG);
    await writeFile(join(stage.folder, "app/public/index.html"), PAGE);
    const weir = await stage.run(["app"]);
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://localhost:${weir.port}/`);
    const ask = (path: string, protocols: readonly string[] = ["weir.1"]): Promise<string> =>
      page.evaluate(`ask(${JSON.stringify(path)}, ${JSON.stringify(protocols)})`);

    const exp = Date.now() / 1000 + 3600;
    const [good, old] = [await sign({ exp }), await sign({ exp: exp - 7200 })];
    const bad = forge({ alg: "none" }, { sub: "ana" });
    const unauthorized = (message: string) =>
      `weir.1 | error unauthorized ${message} | 4401 | unauthorized | true`;
    assert.equal(await ask("/private"), unauthorized("a token is required"));
    assert.equal(await ask("/private", ["weir.1", old]), unauthorized("the token has expired"));
    assert.equal(await ask("/private", ["weir.1", bad]), unauthorized("the token is not valid"));
    assert.equal(await ask("/private", ["weir.1", good]), "weir.1 | open");

    const forbidden = (code: string, message: string) =>
      `weir.1 | error ${code} ${message} | 4403 | ${code} | true`;
    assert.equal(
      await ask("/elsewhere"),
      forbidden("rejected", "pages of this origin may not connect"),
    );
    assert.equal(
      await ask("/door?kind=rejected"),
      forbidden("rejected", 'flow "door" rejected the event'),
    );
    assert.equal(await ask("/door?kind=own"), forbidden("no_member", "members only"));
    const failed =
      /^weir\.1 \| error flow_failed flow "door" failed \(ref \w+\) \| 4503 \| flow_failed \| true$/;
    assert.match(await ask("/door?kind=failed"), failed);

    assert.equal(await ask("/small"), "weir.1 | open");
    const full = "weir.1 | error unavailable too many connections 1000 | 4503 | unavailable | true";
    assert.equal(await ask("/small"), full);
    assert.equal(await ask("/small", ["other", "weir.1"]), full);

    // The same without the subprotocol: one word for every reason.
    for (const path of ["/private", "/elsewhere", "/door?kind=own", "/small"]) {
      assert.equal(await ask(path, []), " | 1006 |  | false");
    }
    assert.equal(await ask("/door?kind=good"), "weir.1 | open");
    const lines = await page.locator("#seen li").allTextContents();
    assert.ok(lines.includes(full) && lines.length === 16, lines.join("\n"));
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0, weir.output);
  } finally {
    await browser.close();
    await stage.end();
  }
});
