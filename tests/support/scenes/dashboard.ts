/** The dashboard: three metrics of a shop over two hours. */
import { DatabaseSync } from "node:sqlite";
import { post } from "../web-client.ts";
import type { Scene } from "./scene.ts";

/** By metric: its unit, and its value at a time from 0 to 1. */
const METRICS: Readonly<Record<string, readonly [string, (time: number) => number]>> = {
  orders_open: ["", (time) => Math.round(14 + 9 * Math.sin(7 * time) + 4 * Math.sin(31 * time))],
  revenue: ["€", (time) => 1800 * time + 120 * Math.sin(23 * time) + 130],
  temperature: ["°C", (time) => 4.2 + 0.8 * Math.sin(12 * time) + 0.3 * Math.sin(41 * time)],
};
const READINGS = 50;

/** The scene. */
export const dashboard: Scene = {
  name: "dashboard",
  example: "dashboard",
  connector: "ws",
  database: "DASHBOARD_DB",
  filled: "temperature",
  played: "4.8",
  fill({ database: file }) {
    const database = new DatabaseSync(file);
    const statement = database.prepare(
      "INSERT INTO readings (id, metric, value, unit, at) VALUES (?, ?, ?, ?, ?)",
    );
    for (let index = 0; index < READINGS; index++) {
      const at = new Date(Date.now() - (READINGS - index) * 150_000).toISOString();
      for (const [metric, [unit, valueAt]] of Object.entries(METRICS)) {
        const value = Math.round(10 * valueAt(index / READINGS)) / 10;
        statement.run(crypto.randomUUID(), metric, value, unit, at);
      }
    }
    database.close();
    return Promise.resolve(() => {});
  },
  async play({ origin }) {
    for (const [metric, value, unit] of [["orders_open", 17, ""], ["temperature", 4.8, "°C"]]) {
      await post(`${origin}/readings`, { metric, value, unit });
    }
  },
};
