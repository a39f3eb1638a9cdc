/** Functions on time. Every time is UTC unless it says otherwise. */

import { stringOf } from "./arguments.ts";
import { Failure, kindOf } from "./failure.ts";
import { libraryFunction } from "./library.ts";
import { isNumeric } from "./operators.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";

const MONTHS =
  "January February March April May June July August September October November December"
    .split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** A date, or a date and a time, with or without a zone. */
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?\s?([Zz]|[+-]\d\d:?\d\d)?)?$/;

/** A timestamp, an ISO 8601 string (UTC where it names no zone), or unix seconds. */
function dateOf(name: string, value: unknown): Date {
  if (value instanceof Date) return value;
  if (isNumeric(value)) return valid(name, new Date(Number(value) * 1000));
  if (typeof value !== "string") {
    throw new Failure(`${name}() needs a time or unix seconds, got ${kindOf(value)}`);
  }
  const match = ISO.exec(value);
  if (match === null) return valid(name, new Date(NaN));
  const [, year, month, day, time = "00:00", seconds = ":00", fraction = "", zone = "Z"] = match;
  // Runtimes disagree on February 30: some refuse it, some take March 1.
  const known = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (known.getUTCDate() !== Number(day)) return valid(name, new Date(NaN));
  const offset = zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2").toUpperCase();
  const milliseconds = fraction.slice(0, 4);
  return valid(
    name,
    new Date(`${year}-${month}-${day}T${time}${seconds}${milliseconds}${offset}`),
  );
}

function valid(name: string, date: Date): Date {
  if (!Number.isNaN(date.getTime())) return date;
  throw new Failure(`${name}() cannot read what it is given as a time`);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** What each token of a format stands for. */
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

const TOKEN = /\[([^\]]*)\]|YYYY|YY|M{1,4}|DD?|d{3,4}|HH?|hh?|mm?|ss?|SSS|[Aa]/g;

/**
 * Formats a time in UTC. Tokens: `YYYY YY`, `MMMM MMM MM M`, `DD D`, `dddd ddd`, `HH H hh h`,
 * `mm m`, `ss s`, `SSS` (milliseconds), `A a` (AM, pm). Text in `[…]` and all other characters
 * stand for themselves, so `YYYY-MM-DDTHH:mm:ssZ` is ISO 8601.
 */
function formatDate(value: unknown, format: unknown): string {
  const date = dateOf("format_date", value);
  return stringOf("format_date", format).replace(
    TOKEN,
    (token, literal?: string) => literal ?? TOKENS[token](date),
  );
}

/** A part of a timestamp, with an optional time zone. */
function part(name: string): FunctionDefinition {
  return libraryFunction(name, 1, 2, { method: true });
}

const PARTS = [
  "getFullYear",
  "getMonth",
  "getDate",
  "getDayOfMonth",
  "getDayOfWeek",
  "getDayOfYear",
  "getHours",
  "getMinutes",
  "getSeconds",
  "getMilliseconds",
];

/** All functions of this file. */
export const TIME_FUNCTIONS: Functions = {
  now: define(0, 0, () => new Date().toISOString()),
  now_unix: define(0, 0, () => BigInt(Math.floor(Date.now() / 1000))),
  format_date: define(2, 2, formatDate),
  timestamp: define(1, 1, (value) => dateOf("timestamp", value)),
  duration: libraryFunction("duration", 1, 1),
  ...Object.fromEntries(PARTS.map((name) => [name, part(name)])),
};
