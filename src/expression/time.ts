/** Functions on times and durations. A time is in UTC where no time zone is given. */

import { stringOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { Duration } from "./kinds.ts";
import type { Meter } from "./meter.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";
import { inZone, timestampOf } from "./timestamp.ts";

const MONTHS =
  "January February March April May June July August September October November December"
    .split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Steps of writing a token, which may be one character long. */
const TOKEN_STEPS = 30;

/** Writes each token of a format. */
const TOKENS: Readonly<Record<string, (date: Date) => string>> = {
  YYYY: (date) => String(date.getUTCFullYear()).padStart(4, "0"),
  YY: (date) => two(date.getUTCFullYear() % 100),
  MMMM: (date) => MONTHS[date.getUTCMonth()],
  MMM: (date) => MONTHS[date.getUTCMonth()].slice(0, 3),
  MM: (date) => two(date.getUTCMonth() + 1),
  M: (date) => String(date.getUTCMonth() + 1),
  DD: (date) => two(date.getUTCDate()),
  D: (date) => String(date.getUTCDate()),
  dddd: (date) => DAYS[date.getUTCDay()],
  ddd: (date) => DAYS[date.getUTCDay()].slice(0, 3),
  HH: (date) => two(date.getUTCHours()),
  H: (date) => String(date.getUTCHours()),
  hh: (date) => two((date.getUTCHours() + 11) % 12 + 1),
  h: (date) => String((date.getUTCHours() + 11) % 12 + 1),
  mm: (date) => two(date.getUTCMinutes()),
  m: (date) => String(date.getUTCMinutes()),
  ss: (date) => two(date.getUTCSeconds()),
  s: (date) => String(date.getUTCSeconds()),
  SSS: (date) => String(date.getUTCMilliseconds()).padStart(3, "0"),
  A: (date) => date.getUTCHours() < 12 ? "AM" : "PM",
  a: (date) => date.getUTCHours() < 12 ? "am" : "pm",
};

const TOKEN = /YYYY|YY|M{1,4}|DD?|d{3,4}|HH?|hh?|mm?|ss?|SSS|[Aa]/g;

/**
 * Formats a time in UTC. Tokens: `YYYY YY`, `MMMM MMM MM M`, `DD D`, `dddd ddd`, `HH H hh h`,
 * `mm m`, `ss s`, `SSS` (milliseconds), `A a` (AM, pm). Text in `[…]` and all other characters are
 * copied, so `YYYY-MM-DDTHH:mm:ssZ` is ISO 8601.
 */
function formatDate(meter: Meter, value: unknown, format: unknown): string {
  const date = timestampOf(meter, "format_date", value);
  const written = stringOf("format_date", format);
  meter.spend(TOKEN_STEPS * written.length);
  const fill = (text: string) => text.replace(TOKEN, (token) => TOKENS[token](date));
  let result = "";
  let at = 0;
  // A search for both brackets at once would look for the second after each of the first.
  for (let open; (open = written.indexOf("[", at)) >= 0;) {
    const close = written.indexOf("]", open);
    if (close < 0) break;
    result += fill(written.slice(at, open)) + written.slice(open + 1, close);
    at = close + 1;
  }
  return result + fill(written.slice(at));
}

/** A function of a timestamp and an optional time zone. */
function part(name: string, read: (date: Date) => number): FunctionDefinition {
  return define(1, 2, (meter, value, zone) => {
    const date = timestampOf(meter, name, value);
    return BigInt(
      read(zone === undefined ? date : inZone(meter, name, date, stringOf(name, zone))),
    );
  });
}

/** A part of a timestamp; the whole length of a duration in that unit. */
function amount(
  name: string,
  unit: "h" | "m" | "s" | "ms",
  read: (date: Date) => number,
): FunctionDefinition {
  const ofTimestamp = part(name, read);
  return define(1, 2, (meter, value, zone) => {
    if (!(value instanceof Duration)) return ofTimestamp.call(meter, value, zone);
    if (zone === undefined) return value.in(unit);
    throw new Failure(`${name}() of a duration takes no time zone`);
  });
}

/** The day of the year, from 0. */
function dayOfYear(date: Date): number {
  const newYear = new Date(date);
  newYear.setUTCMonth(0, 1);
  return Math.round((date.getTime() - newYear.getTime()) / 86_400_000);
}

/** The functions of this file. */
export const TIME_FUNCTIONS: Functions = {
  format_date: define(2, 2, formatDate),
  getFullYear: part("getFullYear", (date) => date.getUTCFullYear()),
  getMonth: part("getMonth", (date) => date.getUTCMonth()),
  getDate: part("getDate", (date) => date.getUTCDate()),
  getDayOfMonth: part("getDayOfMonth", (date) => date.getUTCDate() - 1),
  getDayOfWeek: part("getDayOfWeek", (date) => date.getUTCDay()),
  getDayOfYear: part("getDayOfYear", dayOfYear),
  getHours: amount("getHours", "h", (date) => date.getUTCHours()),
  getMinutes: amount("getMinutes", "m", (date) => date.getUTCMinutes()),
  getSeconds: amount("getSeconds", "s", (date) => date.getUTCSeconds()),
  getMilliseconds: amount("getMilliseconds", "ms", (date) => date.getUTCMilliseconds()),
};
