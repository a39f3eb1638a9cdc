/** Reads points in time, and finds the local time in a time zone. */

import { Failure, KindFailure } from "./failure.ts";
import { isNumeric, kindOf, Timestamp } from "./kinds.ts";
import type { Meter } from "./meter.ts";

/** Steps of reading a time, of the local time in a zone, and of loading the zone. */
const READ = 100;
const ZONE = 1_000;
const NEW_ZONE = 10_000;

/** A date, or a date and a time, with or without a zone. */
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?\s?([Zz]|[+-]\d\d:?\d\d)?)?$/;

/** The years 1 to 9999, the limits of CEL. */
const FIRST = Date.parse("0001-01-01T00:00:00Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");

/** The digits of a second that are beyond milliseconds. */
const BEYOND = 6;

/**
 * A timestamp, an ISO 8601 string, also with a space in place of the "T" as SQLite writes it (UTC
 * where it has no zone), or unix seconds.
 */
export function timestampOf(meter: Meter, name: string, value: unknown): Date {
  if (value instanceof Date) return value;
  meter.spend(READ);
  if (isNumeric(value)) return valid(name, new Date(Number(value) * 1000));
  if (typeof value !== "string") {
    throw new KindFailure(`${name}() needs a time or unix seconds, got ${kindOf(value)}`);
  }
  return valid(name, parse(value));
}

function parse(text: string): Date {
  const match = ISO.exec(text);
  if (match === null) return new Date(NaN);
  const [, year, month, day, time = "00:00", seconds = ":00", fraction = "", zone = "Z"] = match;
  // Runtimes disagree on February 30: some refuse it, some take March 1.
  const known = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (known.getUTCDate() !== Number(day)) return new Date(NaN);
  const offset = zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2").toUpperCase();
  const date = new Date(
    `${year}-${month}-${day}T${time}${seconds}${fraction.slice(0, 4)}${offset}`,
  );
  const beyond = fraction.slice(4);
  return beyond === "" ? date : new Timestamp(date.getTime(), Number(beyond.padEnd(BEYOND, "0")));
}

/** Whether the time is in the years 1 to 9999. */
export function isTimestamp(date: Date): boolean {
  return date.getTime() >= FIRST && date.getTime() <= LAST;
}

function valid(name: string, date: Date): Date {
  if (isTimestamp(date)) return date;
  throw new Failure(`${name}() cannot parse its argument as a time`);
}

const OFFSET = /^([+-]?)(\d\d):?(\d\d)(?::?(\d\d))?$/;

/** The longest name of a zone, in characters. */
const LONGEST_ZONE = 64;

/** By name in lower case, since events bring names of zones in any case. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** A date with the local time of a zone, `Europe/Berlin` or `+01:00`, as its UTC parts. */
export function inZone(meter: Meter, name: string, date: Date, zone: string): Date {
  return new Date(date.getTime() + (readOffset(zone) ?? offsetAt(meter, name, date, zone)));
}

/** The offset in milliseconds; undefined for the name of a zone. */
function readOffset(text: string): number | undefined {
  const match = OFFSET.exec(text);
  if (match === null) return undefined;
  const [, sign, hours, minutes, seconds = "0"] = match;
  const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return (sign === "-" ? -size : size) * 1000;
}

function offsetAt(meter: Meter, name: string, date: Date, zone: string): number {
  meter.spend(ZONE);
  const parts = formatterOf(meter, name, zone).formatToParts(date);
  const written = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  return readOffset(written.replace(/^GMT/, "").replace("\u2212", "-")) ?? 0;
}

function formatterOf(meter: Meter, name: string, zone: string): Intl.DateTimeFormat {
  const key = zone.length > LONGEST_ZONE ? "" : zone.toLowerCase();
  const known = formatters.get(key);
  if (known !== undefined) return known;
  meter.spend(NEW_ZONE);
  try {
    if (key === "") throw new RangeError();
    const made = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    formatters.set(key, made);
    return made;
  } catch {
    // The runtime's own error contains the text, which may come from a client.
    throw new Failure(`${name}() does not know the time zone`);
  }
}
