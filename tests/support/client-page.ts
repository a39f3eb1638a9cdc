/** The page docs/client.md and its server. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { blocksOf } from "./markdown.ts";
import { root } from "./process.ts";

/** The text of the page. */
export const clientPage: string = await readFile(join(root, "docs/client.md"), "utf8");

/** Its server with the history in Redis, as the page describes it. */
export function redisConfig(): string {
  const [chat, redis] = blocksOf(clientPage, "hcl");
  return chat.replace(/^ +type += "websocket"$/m, '$&\n  backplane = "bus"') + redis;
}
