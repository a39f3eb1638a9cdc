/** Notifications of three topics and levels, some of which were read. */
import { DatabaseSync } from "node:sqlite";
import { post } from "../web-client.ts";
import type { Scene } from "./scene.ts";

/** How many minutes ago, and what. */
const EARLIER = [
  [1510, "deploys", "info", "Version 6 is out", ""],
  [190, "billing", "warning", "A card expires this month", "It pays for the account Rivers Ltd."],
  [48, "security", "info", "A new device has signed in", "Firefox on Linux, in Ljubljana."],
  [3, "deploys", "info", "Version 7 is being built", ""],
] as const;

/** The scene. */
export const notifications: Scene = {
  name: "notifications",
  example: "notifications",
  connector: "ws",
  database: "NOTIFICATIONS_DB",
  filled: "Version 7 is being built",
  played: "Version 7 is out",
  fill({ database: file }) {
    const database = new DatabaseSync(file);
    const statement = database.prepare(
      "INSERT INTO notifications (id, topic, level, title, text, created_at) " +
        "VALUES (?, ?, ?, ?, ?, ?)",
    );
    for (const [ago, topic, level, title, text] of EARLIER) {
      const at = new Date(Date.now() - ago * 60_000).toISOString();
      statement.run(crypto.randomUUID(), topic, level, title, text, at);
    }
    database.close();
    return Promise.resolve(() => {});
  },
  async play({ origin }) {
    const send = (topic: string, title: string, level: string) =>
      post(`${origin}/notifications`, { topic, title, level });
    await send("billing", "A card was refused", "urgent");
    await send("deploys", "Version 7 is out", "info");
  },
  async use(page) {
    for (const title of ["Version 6 is out", "A card expires this month"]) {
      await page.getByRole("button", { name: `Mark as read: ${title}` }).click();
    }
  },
};
