/** Judges what members have heard while instances were killed and cut off. */
import assert from "node:assert/strict";
import type { Member } from "../../support/instances.ts";

/** A message, and what is known of its sending. All times are of this process's clock. */
export interface Sent {
  readonly sender: number;
  readonly room: string;
  readonly number: number;
  readonly at: number;
  /** When it was acknowledged; undefined where it failed or has no answer. */
  acked: number | undefined;
}

/** One membership: from the ack of a join to the leave, or to the end of the connection. */
export interface Stay {
  readonly room: string;
  readonly from: number;
  to: number;
  /**
   * When it sent a last message, which it heard before it left: all that was acknowledged before had
   * come by then. Undefined where it did not leave by itself.
   */
  certain?: number;
}

/** One connection of a client. A client that has lost its own gets a new one. */
export interface Connection {
  readonly member: Member;
  /** Which instance it is connected to, by its place. */
  readonly place: number;
  readonly stays: Stay[];
}

/** What can go wrong. */
export const FAULTS = [
  "killed",
  "cut",
  "stalled",
  "cut and refused",
  "the broker restarts",
] as const;

/** What went wrong, and for which instance. */
export interface Outage {
  readonly what: typeof FAULTS[number];
  readonly place: number;
  readonly from: number;
  readonly to: number;
}

/** A message may be missing where a resync for its room came within this time after it. */
const NOTICED_WITHIN = 30_000;

/** What is on its way comes within this time, or within this time after an outage. */
const ARRIVES_WITHIN = 1_000;

/** What is known of one stay in a room. */
export interface Evidence {
  readonly stay: Stay;
  /** When the member heard each message. */
  readonly heard: ReadonlyMap<number, number>;
  /** All that was sent to the room. */
  readonly messages: readonly Sent[];
  /** When the clients of its instance were told to resync. */
  readonly gaps: readonly number[];
  readonly outages: readonly Outage[];
}

/** Returns when a member heard each message. Nothing came twice, and nothing before what was sent earlier. */
export function listen({ member }: Connection, sent: readonly Sent[]): ReadonlyMap<number, number> {
  const heard = new Map<number, number>();
  const lastOf = new Map<string, number>();
  for (const [index, { type, room, data }] of member.heard.entries()) {
    if (type !== "message") continue;
    const [sender, text] = String((data as { readonly text: string }).text).split(" ");
    // Those that check at the end send other texts.
    if (text === undefined) continue;
    const number = Number(text);
    assert.ok(!heard.has(number), `message ${number} came twice`);
    heard.set(number, member.times[index]);
    // One that failed may have been on its way for any time.
    if (sent[number].acked === undefined) continue;
    const key = `${sender} ${room}`;
    const before = lastOf.get(key) ?? -1;
    assert.ok(before < number, `${number} of ${key} came after ${before}`);
    lastOf.set(key, number);
  }
  return heard;
}

/** Nothing that was acknowledged during the stay is missing without a reason that the member knows. */
export function judge(
  { member, place }: Connection,
  { stay, heard, messages, gaps, outages }: Evidence,
): void {
  for (const { room, number, sender, at, acked } of messages) {
    if (acked === undefined || heard.has(number)) continue;
    // An ack says that the broker has the message: it may still be on its way to the others. What
    // came back from the broker after it shows that it is not.
    const isCertain = stay.certain !== undefined && acked <= stay.certain;
    if (stay.from >= at || (stay.to <= acked + ARRIVES_WITHIN && !isCertain)) continue;
    // It had left before its instance was back, and is told nothing of a room that it has left.
    const left = gaps.some((gap) => gap > stay.to && gap < acked + NOTICED_WITHIN);
    const told = member.heard.some((frame, index) =>
      frame.type === "resync" && frame.room === room && member.times[index] > at &&
      member.times[index] < acked + NOTICED_WITHIN
    );
    // It left while its instance could not hear. What came late found no member, and was not lost.
    const late = outages.some((outage) =>
      (outage.place === place || outage.what === "the broker restarts") &&
      outage.from <= acked && stay.to <= outage.to + ARRIVES_WITHIN
    );
    // It ended soon after that: it may have been cut before it heard.
    const cut = member.endedAt !== undefined && member.endedAt < acked + NOTICED_WITHIN;
    const span = `${Math.round(at)} to ${Math.round(acked)}`;
    const why = `message ${number} of sender ${sender} to ${room} (${span}) is missing at ` +
      `instance ${place} (there from ${Math.round(stay.from)} to ${Math.round(stay.to)}), ` +
      "and no resync came";
    assert.ok(told || left || late || cut, why);
  }
}
