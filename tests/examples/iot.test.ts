/** The devices, on every runtime. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root, type Stage, stageTest, type Weir } from "../support/process.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";

const example = join(root, "examples/iot");

stageTest(
  "iot: a device's readings are shown at once, and found after a restart",
  async (stage) => {
    const weir = await startIot(stage);
    const page = await open(weir, "/ws");
    const device = await connectDevice(weir, "greenhouse-1");
    const presence = { kind: "online", device: "greenhouse-1" };
    assert.partialDeepStrictEqual(await page.message(), presence);

    assert.equal((await send(device, { sensor: "temperature", value: 21.5 })).type, "ack");
    const reading = { device: "greenhouse-1", sensor: "temperature", value: 21.5, alarm: false };
    assert.partialDeepStrictEqual(await page.message(), { kind: "reading", ...reading });
    await send(device, { sensor: "temperature", value: 22 });
    await send(device, { sensor: "anything", value: -1 });
    device.close();
    await page.message();
    await page.message();
    assert.partialDeepStrictEqual(await page.message(), { ...presence, kind: "offline" });

    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0, weir.output);
    const newest = await devices(await startIot(stage));
    assert.deepEqual(newest.map(({ sensor, value, alarm }) => [sensor, value, alarm]), [
      ["anything", -1, 0],
      ["temperature", 22, 0],
    ]);
  },
);

stageTest(
  "iot: what is out of range raises an alarm for those who listen for it",
  async (stage) => {
    const weir = await startIot(stage);
    const listener = await open(weir, "/ws");
    await listener.request({ type: "join_room", room: "alarms" });
    const page = await open(weir, "/ws");
    const device = await connectDevice(weir, "pump");
    await send(device, { sensor: "temperature", value: 35 });
    await send(device, { sensor: "temperature", value: 35.5 });
    await send(device, { sensor: "unlimited", value: 1000 });
    const text = "temperature is 35.5, not 5 to 35";
    assert.partialDeepStrictEqual(await alarmOf(listener), { device: "pump", text });
    assert.deepEqual((await devices(weir)).map(({ alarm }) => alarm), [1, 0]);

    const limits = `${origin(weir)}/limits/unlimited`;
    const answer = await post(limits, { low: 900, high: -10 });
    assert.deepEqual([answer.status, await answer.json()], [200, {
      sensor: "unlimited",
      low: -10,
      high: 900,
    }]);
    await send(device, { sensor: "unlimited", value: 1000 });
    assert.partialDeepStrictEqual(await alarmOf(listener), {
      text: "unlimited is 1000, not -10 to 900",
    });
    const kinds = [];
    while (page.waiting > 0) kinds.push((await page.message() as Frame).kind);
    assert.deepEqual(kinds, ["online", "reading", "reading", "reading", "reading"]);
    for (const body of [{}, { low: 1 }, { low: "1", high: 2 }, { low: 1, high: 2, more: 3 }]) {
      const { status, body: rest } = await post(limits, body);
      assert.equal(status, 422, JSON.stringify(body));
      await rest?.cancel();
    }
  },
);

stageTest("iot: a device without a proper name is refused", async (stage) => {
  const weir = await startIot(stage);
  const page = await open(weir, "/ws");
  for (const query of ["", "?device=", "?device=Big%20One", `?device=${"x".repeat(41)}`]) {
    await assert.rejects(open(weir, `/devices${query}`), /cannot be opened/, query);
  }
  await connectDevice(weir, "pump");
  assert.partialDeepStrictEqual(await page.message(), { kind: "online", device: "pump" });
});

stageTest("iot: a device is online until its last connection has gone", async (stage) => {
  const weir = await startIot(stage);
  const page = await open(weir, "/ws");
  const online = async () => await (await fetch(`${origin(weir)}/online`)).json();
  const [old, again] = [await connectDevice(weir, "pump"), await connectDevice(weir, "pump")];
  for (const _ of [old, again]) {
    assert.partialDeepStrictEqual(await page.message(), { kind: "online", device: "pump" });
  }
  old.close(4000);
  await old.closed;
  // Its flow has run before this reading comes.
  await send(again, { sensor: "pressure", value: 3 });
  assert.partialDeepStrictEqual(await page.message(), { kind: "reading", device: "pump" });
  assert.deepEqual(await online(), { devices: ["pump"] });

  again.close();
  assert.partialDeepStrictEqual(await page.message(), { kind: "offline", device: "pump" });
  assert.deepEqual(await online(), { devices: [] });
});

stageTest("iot: what is no reading is refused, and whose it is cannot be forged", async (stage) => {
  const weir = await startIot(stage);
  const device = await connectDevice(weir, "pump");
  const wrong = [
    ...[null, [], "text", {}],
    ...[{ sensor: "temperature" }, { sensor: "temperature", value: "21" }],
    ...[{ sensor: "Two words", value: 1 }, { sensor: "temperature", value: 2e6 }],
    { sensor: "temperature", value: 1, device: "another" },
  ];
  for (const data of wrong) {
    const { code } = await send(device, data);
    assert.equal(code, "validation_failed", JSON.stringify(data));
  }
  assert.deepEqual(await devices(weir), []);
});

function startIot(stage: Stage): Promise<Weir> {
  const env = { IOT_DB: join(stage.folder, "iot.db") };
  return stage.run([example, "--port", "pages=0"], { env });
}

function open(weir: Weir, path: string): Promise<WebClient> {
  return WebClient.open(`ws://localhost:${weir.port}${path}`);
}

function connectDevice(weir: Weir, name: string): Promise<WebClient> {
  return open(weir, `/devices?device=${name}`);
}

function send(device: WebClient, data: unknown): Promise<Frame> {
  return device.request({ type: "reading", data });
}

/** The next alarm; readings are passed over. */
async function alarmOf(page: WebClient): Promise<Frame> {
  for (;;) {
    const frame = await page.message() as Frame;
    if (frame.kind === "alarm") return frame;
  }
}

async function devices(weir: Weir): Promise<readonly Frame[]> {
  return await (await fetch(`${origin(weir)}/readings`)).json();
}

function origin({ port }: Weir): string {
  return `http://localhost:${port}`;
}
