/** Devices: three of them, of which one has gone, and an alarm. */
import { WebClient } from "../web-client.ts";
import type { Scene } from "./scene.ts";

const READINGS: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  "cold-store": [["battery", 64], ["temperature", 5.6]],
  "greenhouse-1": [["humidity", 61], ["soil_moisture", 38.4], ["temperature", 23.5]],
  "pump": [["battery", 88], ["pressure", 3.02]],
};

/** The scene. */
export const iot: Scene = {
  name: "iot",
  example: "iot",
  connector: "pages",
  database: "IOT_DB",
  filled: "3.02",
  played: /temperature is 41, not 5 to 35/,
  async fill({ origin }) {
    const devices = new Map<string, WebClient>();
    for (const [name, readings] of Object.entries(READINGS)) {
      devices.set(name, await device(origin, name));
      for (const reading of readings) await send(devices.get(name)!, reading);
    }
    devices.get("pump")!.close();
    return () => devices.forEach((each) => each.close());
  },
  async play({ origin }) {
    const again = await device(origin, "greenhouse-1");
    for (const value of [36.5, 41]) await send(again, ["temperature", value]);
    again.close();
  },
};

function device(origin: string, name: string): Promise<WebClient> {
  return WebClient.open(`${origin.replace("http", "ws")}/devices?device=${name}`);
}

async function send(client: WebClient, [sensor, value]: readonly [string, number]): Promise<void> {
  await client.request({ type: "reading", data: { sensor, value } });
}
