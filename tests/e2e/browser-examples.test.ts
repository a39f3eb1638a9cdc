/** The pages of the examples beside the chat in a real browser. */
import assert from "node:assert/strict";
import { post, WebClient } from "../support/web-client.ts";
import { browserTest, fits, openPage, startExample } from "./example-pages.ts";

await browserTest("browser: the dashboard shows readings as they come", async (world) => {
  const { weir } = world;
  const page = await openPage(world, "dashboard");
  await page.getByText("Connected", { exact: true }).waitFor();
  const card = (metric: string) =>
    page.getByRole("list", { name: "Metrics" }).getByRole("listitem")
      .filter({ has: page.getByRole("heading", { name: metric }) });
  await card("readings stored").getByText("0", { exact: true }).waitFor();

  for (const value of [12, 30, 21.5]) {
    const reading = { metric: "temperature", value, unit: "°C" };
    assert.equal((await post(`http://localhost:${weir.port}/readings`, reading)).status, 201);
  }
  await card("temperature").getByText("21.5", { exact: true }).waitFor();
  await card("temperature").getByText("°C").waitFor();
  const line = card("temperature").locator("polyline");
  assert.equal((await line.getAttribute("points"))?.split(" ").length, 3);
  await card("readings stored").getByText("3", { exact: true }).waitFor();

  await page.getByLabel("Value").fill("7");
  await page.getByRole("button", { name: "Send" }).click();
  await card("orders open").getByText("7", { exact: true }).waitFor();
  await page.getByText("Stored.").waitFor();
  await page.reload();
  await card("temperature").getByText("21.5", { exact: true }).waitFor();
  await fits(page);
}, "dashboard");

await browserTest("browser: notifications come to who follows their topic", async (world) => {
  const { stage, weir } = world;
  const page = await openPage(world, "notifications");
  await page.getByText("Connected", { exact: true }).waitFor();
  const items = page.getByRole("list", { name: "Notifications, newest first" })
    .getByRole("listitem");
  const notify = (topic: string, title: string) =>
    post(`http://localhost:${weir.port}/notifications`, { topic, title, level: "urgent" });
  await page.getByRole("checkbox", { name: "billing" }).uncheck();
  assert.equal((await notify("billing", "Not for this page")).status, 201);
  assert.equal((await notify("deploys", "<b>Version 7</b> is out")).status, 201);
  await items.getByRole("heading", { name: "<b>Version 7</b> is out" }).waitFor();
  assert.equal(await items.count(), 1);

  // Following a topic brings what was said about it, and leaving it takes that away.
  await page.getByRole("checkbox", { name: "billing" }).check();
  await items.filter({ hasText: "Not for this page" }).waitFor();
  await page.getByRole("checkbox", { name: "billing" }).uncheck();
  assert.equal(await items.count(), 1);

  await page.getByLabel("Title").fill("From the page");
  await page.getByRole("button", { name: "Send" }).click();
  await items.filter({ hasText: "From the page" }).waitFor();

  // What comes while the page is away is there when it is back.
  await page.goto("about:blank");
  assert.equal((await notify("deploys", "While away")).status, 201);
  await page.goto(`http://localhost:${weir.port}/`);
  await items.filter({ hasText: "While away" }).waitFor();
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0, weir.output);
  await page.getByText("Offline").waitFor();
  await startExample("notifications", stage, weir.port);
  await page.getByText("Connected", { exact: true }).waitFor();
  assert.equal((await notify("deploys", "After a restart")).status, 201);
  await items.filter({ hasText: "After a restart" }).waitFor();
  assert.deepEqual(await items.getByRole("heading").allTextContents(), [
    "After a restart",
    "While away",
    "From the page",
    "<b>Version 7</b> is out",
  ]);
  await fits(page);
}, "notifications");

await browserTest("browser: devices, their readings and their alarms are shown", async (world) => {
  const { weir } = world;
  const page = await openPage(world, "iot");
  await page.getByText("Connected", { exact: true }).waitFor();
  const device = page.getByRole("list", { name: "Devices" }).getByRole("listitem")
    .filter({ hasText: "greenhouse-1" });
  const send = async (sensor: string, value: string) => {
    await page.getByLabel("Sensor").fill(sensor);
    await page.getByLabel("Value").fill(value);
    await page.getByRole("button", { name: "Send" }).click();
  };
  await send("temperature", "21.5");
  await device.getByText("temperature 21.5").waitFor();
  await device.getByText("online").waitFor();
  await page.getByText("Stored.").waitFor();
  await page.getByText("None since this page was opened.").waitFor();
  await send("temperature", "41");
  await device.locator("[data-alarm=true]", { hasText: "temperature 41" }).waitFor();
  const alarms = page.getByRole("list", { name: "Alarms" }).getByRole("listitem");
  await alarms.filter({ hasText: "greenhouse-1: temperature is 41, not 5 to 35" }).waitFor();
  await page.getByLabel("Value").fill("2000000");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("value must be at most 1000000").waitFor();

  // Another device, as a program would be one.
  const url = `ws://localhost:${weir.port}/devices?device=pump`;
  const pump = await WebClient.open(url);
  await pump.request({ type: "reading", data: { sensor: "pressure", value: 3 } });
  const card = page.getByRole("listitem").filter({ hasText: "pump" });
  await card.getByText("pressure 3").waitFor();
  pump.close();
  await card.getByText("offline").waitFor();
  await page.reload();
  await card.getByText("pressure 3").waitFor();
  await device.getByText("temperature 41").waitFor();
  await fits(page);
}, "iot");
