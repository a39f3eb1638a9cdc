/** Weir and the program that signs users in, as the script of the example starts them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openBrowser, type Page } from "../support/browser.ts";
import { connect } from "../../src/client/mod.ts";
import { keptPorts } from "../support/ports.ts";
import { onAllRuntimes, openStage, root, type Stage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { needTool } from "../support/toolchain.ts";
import { post } from "../support/web-client.ts";

/** Starts the script on the runtime of a stage. Returns the port of the page. */
async function startScript(stage: Stage): Promise<number> {
  const [port] = await keptPorts(2);
  const words = [await needTool(stage.runtime), ...stage.runtime === "deno" ? ["run", "-A"] : []];
  const env = {
    PORT: String(port),
    RUNTIME: words.join(" "),
    AUTH_DB: join(stage.folder, "auth.db"),
  };
  const script = stage.command("sh", [join(root, "examples/auth/start.sh")], { env, leader: true });
  await script.says(/signs users in at /);
  await script.says(/ is ready in /);
  return port;
}

test("auth: a name gets a token, which connects, renews itself and expires", () =>
  onAllRuntimes(async (stage) => {
    const port = await startScript(stage);
    const signIn = async (user: Readonly<Record<string, unknown>>): Promise<string> => {
      const answer = await post(`http://localhost:${port}/tokens`, user);
      assert.equal(answer.status, 200);
      return (await answer.json()).token;
    };
    const url = `ws://localhost:${port}/ws`;
    const heard: unknown[] = [];
    const ana = connect(url, { token: await signIn({ name: "ana" }) });
    const told = new Promise((resolve) => ana.on("message", (data) => resolve(heard.push(data))));
    const { token } = await ana.request("renew") as { readonly token: string };
    const sam = connect(url, { token: await signIn({ name: "sam", role: "staff" }) });
    await sam.request("notify", { to: "ana", text: "Hello" });
    await told;
    assert.deepEqual(heard, [{ from: "sam", text: "Hello" }]);
    await assert.rejects(ana.request("notify", { to: "sam" }), { code: "rejected" });

    // The renewed token is as good as the first one.
    const again = connect(url, { token });
    await again.request("renew");
    for (const client of [ana, sam, again]) client.close();

    const bob = connect(url, { token: await signIn({ name: "bob", seconds: 1 }) });
    const reason = await new Promise<string>((resolve) =>
      bob.on("status", (status, reason) => {
        if (status === "closed") resolve(`${reason?.code}: ${reason?.message}`);
      })
    );
    assert.equal(reason, "unauthorized: the token has expired");
  }));

await serviceTest("chromium", "auth: the page signs in, renews, and says why it ends", async () => {
  const browser = await openBrowser();
  const stage = await openStage("deno");
  try {
    const port = await startScript(stage);
    const complaints: string[] = [];
    const open = async (name: string, role: string, seconds: string): Promise<Page> => {
      // A profile of its own for each user.
      const page = await (await browser.newContext()).newPage();
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(`http://localhost:${port}/`);
      await page.locator("#seconds option").last().evaluate(
        (option, seconds) => option.setAttribute("value", seconds),
        seconds,
      );
      await page.getByLabel("The token is valid for").selectOption("20 seconds");
      await page.getByLabel("Name").fill(name);
      await page.getByLabel("Role").selectOption(role);
      await page.getByRole("button", { name: "Sign in" }).click();
      return page;
    };
    const events = (page: Page, text: string) =>
      page.getByRole("list", { name: "What happens" }).getByRole("listitem")
        .filter({ hasText: text }).first().waitFor();

    const sam = await open("sam", "staff", "900");
    await events(sam, "as sam");
    const ana = await open("ana", "customer", "3");
    await events(ana, "as ana");
    await events(sam, "joined");
    await sam.getByRole("button", { name: "Send" }).click();
    await sam.getByText("Sent.").waitFor();
    await events(ana, "sam: Your parcel is on its way");
    await ana.getByRole("button", { name: "Send" }).click();
    await ana.getByText(/^rejected: /).waitFor();

    // A reload keeps the token; the next one comes before it expires.
    await ana.reload();
    await events(ana, "as ana");
    await events(ana, "renewed");
    await ana.getByLabel("Renew it in time").uncheck();
    await ana.getByText("The server has refused the token: the token has expired.").waitFor();
    await ana.getByRole("heading", { name: "Sign in" }).waitFor();

    for (
      const [button, text] of [
        ["Expired", "With an expired token: unauthorized, the token has expired."],
        ["Changed", "With a changed token: unauthorized, the token is not valid."],
        ["None", "With no token: unauthorized, a token is required."],
      ]
    ) {
      await ana.getByRole("button", { name: button }).click();
      await events(ana, text);
    }

    await sam.getByRole("button", { name: "Sign out" }).click();
    await sam.getByText("Signed out", { exact: true }).waitFor();
    await sam.reload();
    await sam.getByText("You are not signed in").waitFor();
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    await stage.end();
  }
});
