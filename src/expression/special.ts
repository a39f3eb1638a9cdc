/** The operators of timestamps, durations and bytes. */

import { joined } from "./bytes.ts";
import { Duration } from "./duration.ts";
import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { isTimestamp } from "./timestamp.ts";

const MILLISECOND = 1_000_000n;

/** What arithmetic on these types takes. */
const SPECIAL = 20;

/** `a + b`; undefined where they are not of these types. */
export function addedSpecial(meter: Meter, a: unknown, b: unknown): unknown {
  meter.spend(SPECIAL);
  if (a instanceof Duration) {
    if (b instanceof Duration) return lasting(a.nanoseconds + b.nanoseconds);
    return b instanceof Date ? later(b, a.nanoseconds) : undefined;
  }
  if (a instanceof Date) return b instanceof Duration ? later(a, b.nanoseconds) : undefined;
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return undefined;
  meter.make(a.length + b.length);
  return joined(a, b);
}

/** `a - b`; undefined where they are not of these types. */
export function subtractedSpecial(meter: Meter, a: unknown, b: unknown): unknown {
  meter.spend(SPECIAL);
  if (b instanceof Duration) {
    if (a instanceof Duration) return lasting(a.nanoseconds - b.nanoseconds);
    return a instanceof Date ? later(a, -b.nanoseconds) : undefined;
  }
  if (!(a instanceof Date && b instanceof Date)) return undefined;
  return lasting(BigInt(a.getTime() - b.getTime()) * MILLISECOND);
}

/** Below 0 where `a` comes before `b`, above where after; undefined for other types. */
export function orderOfSpecial(meter: Meter, a: unknown, b: unknown): number | undefined {
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (a instanceof Duration && b instanceof Duration) {
    return a.nanoseconds < b.nanoseconds ? -1 : Number(a.nanoseconds > b.nanoseconds);
  }
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return undefined;
  meter.spend(Math.min(a.length, b.length));
  return orderOfBytes(a, b);
}

function orderOfBytes(a: Uint8Array, b: Uint8Array): number {
  const different = a.findIndex((byte, i) => byte !== b[i]);
  return different < 0 ? a.length - b.length : a[different] - (b[different] ?? -1);
}

function lasting(nanoseconds: bigint): Duration {
  const duration = Duration.of(nanoseconds);
  if (duration === undefined) throw new Failure("the duration is beyond 10,000 years");
  return duration;
}

/** Timestamps count milliseconds: what is less is cut off, towards the past. */
function later(time: Date, nanoseconds: bigint): Date {
  const rest = nanoseconds % MILLISECOND;
  const milliseconds = nanoseconds / MILLISECOND - (rest < 0n ? 1n : 0n);
  const moved = new Date(time.getTime() + Number(milliseconds));
  if (!isTimestamp(moved)) throw new Failure("the time is outside the years 1 to 9999");
  return moved;
}
