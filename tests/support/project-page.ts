/** A page of a project, as the server sees it. */

import type { Weir } from "./process.ts";
import { type Frame, WebClient } from "./web-client.ts";

/** A page, as a member of these rooms. */
export async function openPage(weir: Weir, rooms: readonly string[]): Promise<WebClient> {
  const page = await WebClient.open(`ws://localhost:${weir.port}/ws`);
  for (const room of rooms) await page.request({ type: "join_room", room });
  return page;
}

/** The next message of this kind. */
export async function messageOf(page: WebClient, kind: string): Promise<Frame> {
  for (;;) {
    const message = await page.message() as Frame;
    if (message.kind === kind) return message;
  }
}

/** The next message that has the first field of `data`. */
export async function messageWith(page: WebClient, data: Frame): Promise<Frame> {
  const [name] = Object.keys(data);
  for (;;) {
    const message = await page.message() as Frame;
    if (message[name] === data[name]) return message;
  }
}
