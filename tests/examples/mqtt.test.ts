/** The devices on MQTT: readings that mosquitto_pub sends appear in the page, on every runtime. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectAsync } from "mqtt";
import { openStage, root, runtimes, type Stage, type Weir } from "../support/process.ts";
import { MosquittoServer } from "../support/mosquitto.ts";
import { withServer } from "../support/own-server.ts";
import { serviceTest } from "../support/services.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";

const run = promisify(execFile);

await serviceTest("mosquitto-server", "mqtt: readings, limits and commands", async () => {
  await Promise.all(
    runtimes.map((runtime) =>
      withServer(MosquittoServer.open({ persistent: true }), async (broker) => {
        const stage = await openStage(runtime);
        try {
          await readings(stage, broker.port);
        } finally {
          await stage.end();
        }
      })
    ),
  );
});

async function readings(stage: Stage, port: number): Promise<void> {
  const url = `mqtt://127.0.0.1:${port}`;
  const env = {
    MQTT_URL: url,
    DEVICES_DB: join(stage.folder, "devices.db"),
    STATES_DB: join(stage.folder, "states.db"),
  };
  const start = () => stage.run([join(root, "examples/mqtt"), "--port", "pages=0"], { env });
  const publish = (topic: string, body: unknown) =>
    run("mosquitto_pub", [
      ...["-p", String(port), "-q", "1", "-t", topic, "-m", JSON.stringify(body)],
    ]);
  let weir = await start();
  const page = await WebClient.open(`ws://localhost:${weir.port}/ws`);
  await publish("devices/greenhouse-1/reading", { id: "7", sensor: "temperature", value: 21.5 });
  const reading = { kind: "reading", device: "greenhouse-1", value: 21.5, alarm: false };
  assert.partialDeepStrictEqual(await page.message(), reading);
  await publish("devices/greenhouse-1/state", { online: true });
  assert.partialDeepStrictEqual(await page.message(), { kind: "online", device: "greenhouse-1" });

  const form = await WebClient.open(`ws://localhost:${weir.port}/devices?device=pump`);
  await form.request({ type: "reading", data: { sensor: "pressure", value: 2 } });
  assert.partialDeepStrictEqual(await page.message(), { device: "pump", sensor: "pressure" });

  const origin = `http://localhost:${weir.port}`;
  await (await post(`${origin}/limits/pressure`, { low: 9, high: 1 })).body?.cancel();
  const device = await connectAsync(url);
  try {
    const heard: [string, unknown][] = [];
    device.on("message", (topic, body) => heard.push([topic, JSON.parse(body.toString())]));
    // The limits were published before: a retained message.
    await device.subscribeAsync(["limits/#", "devices/pump/command"], { qos: 1 });
    await (await post(`${origin}/devices/pump/commands`, { pump: "on" })).body?.cancel();
    while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(heard, [
      ["limits/pressure", { low: 1, high: 9 }],
      ["devices/pump/command", { pump: "on" }],
    ]);
  } finally {
    await device.endAsync();
  }

  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0, weir.output);
  // The broker keeps it in the session.
  await publish("devices/late/reading", { sensor: "humidity", value: 50 });
  await publish("devices/late/state", { online: true });
  weir = await start();
  await untilAnswer(
    weir,
    "/readings",
    (rows: readonly Frame[]) => rows.some(({ device }) => device === "late"),
  );
  await untilAnswer(
    weir,
    "/online",
    ({ devices }: { readonly devices: readonly string[] }) =>
      devices.join() === "greenhouse-1,late",
  );
}

async function untilAnswer<T>(
  { port }: Weir,
  path: string,
  holds: (answer: T) => boolean,
): Promise<void> {
  while (!holds(await (await fetch(`http://localhost:${port}${path}`)).json())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
