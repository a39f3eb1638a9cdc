/** Places in the server's log: 64 bits, which are written as two hexadecimal numbers. */
import type { Buffer } from "node:buffer";

/** Milliseconds from 1970 to 2000, where the server's time begins. */
const EPOCH = 946_684_800_000;

/** Reads a place; the text that psql shows for it, such as `0/16B3748`. */
export function readLsn(bytes: Buffer, offset: number): string {
  const high = bytes.readUInt32BE(offset).toString(16);
  return `${high}/${bytes.readUInt32BE(offset + 4).toString(16)}`.toUpperCase();
}

/** Reads a time; ISO 8601, UTC, with microseconds. */
export function readTime(bytes: Buffer, offset: number): string {
  // A number holds the microseconds of the next 250 years.
  const microseconds = Number(bytes.readBigInt64BE(offset));
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = String(microseconds - milliseconds * 1000).padStart(3, "0");
  return `${new Date(milliseconds + EPOCH).toISOString().slice(0, -1)}${rest}Z`;
}

/** The time now, as the server counts it. */
export function serverTime(): bigint {
  return BigInt(Date.now() - EPOCH) * 1000n;
}
