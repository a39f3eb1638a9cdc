/** The consumers of a group: those that are gone are removed, and this one when it ends. */
import { isAnswer } from "./errors.ts";
import type { StreamContext } from "./stream.ts";

/** What the names of Weir's consumers begin with. */
export const CONSUMERS = "weir:";

/** How many ids are asked for at once. */
const MOST_IDS = "1000";

/** What members work with. */
export type MembersContext = Pick<StreamContext, "link" | "group" | "consumer" | "claimAfter">;

/**
 * Removes Weir's consumers that do not read any more and have nothing pending. A user without the
 * rights leaves them where they are.
 */
export async function removeGone(stream: string, context: MembersContext): Promise<void> {
  try {
    await removeIdle(stream, context);
  } catch (error) {
    if (!isAnswer(error)) throw error;
  }
}

async function removeIdle(stream: string, context: MembersContext): Promise<void> {
  const { link, group, claimAfter } = context;
  const consumers = await link.command<readonly Readonly<Record<string, unknown>>[]>(
    ["XINFO", "CONSUMERS", stream, group],
  );
  for (const { name, pending, idle } of consumers) {
    const isGone = pending === 0 && Number(idle) > 2 * claimAfter;
    if (isGone && String(name).startsWith(CONSUMERS)) await remove(stream, String(name), context);
  }
}

/** Removes this process from the group, where nothing is pending for it. */
export async function leave(stream: string, context: MembersContext): Promise<void> {
  const { link, group, consumer } = context;
  const pending = await link.command<readonly unknown[]>(
    ["XPENDING", stream, group, "-", "+", "1", consumer],
  );
  if (pending.length === 0) await remove(stream, consumer, context);
}

/** Removes a consumer; what is pending for it after all stays so. */
async function remove(
  stream: string,
  consumer: string,
  { link, group }: MembersContext,
): Promise<void> {
  const [pending] = await link.transaction([
    ["XPENDING", stream, group, "-", "+", MOST_IDS, consumer],
    ["XGROUP", "DELCONSUMER", stream, group, consumer],
  ]);
  // It has read again at the last moment.
  const ids = Array.isArray(pending) ? pending.map(([id]) => String(id)) : [];
  if (ids.length === 0) return;
  await link.command(["XCLAIM", stream, group, consumer, "0", ...ids, "FORCE", "JUSTID"]);
}
