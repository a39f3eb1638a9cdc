/** The formats that a string can have to be in. */
import * as v from "valibot";

/** The name of a format. */
export type Format = "email" | "url" | "uuid" | "date" | "datetime" | "ip" | "phone";

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME =
  /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
/** Digits and groups in brackets, with at most one separator before each. */
const PHONE = /^\+?(?:\(\d+\)|\d)(?:[ .\/-]?(?:\(\d+\)|\d))*$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Longer ones do not exist, and no pattern has to look at them. */
const LONGEST = { email: 254, ip: 45, phone: 32, time: 24, host: 255 };

/** The grammar of browsers' forms, with a dot in the domain and none at the ends of the name. */
function isEmail(text: string): boolean {
  if (text.length > LONGEST.email || !v.RFC_EMAIL_REGEX.test(text)) return false;
  return !/^\.|\.\.|\.@/.test(text) && text.indexOf(".", text.indexOf("@")) > 0;
}

/**
 * Absolute, with a host. The URL parser alone would take blanks, tabs and backslashes too, and Bun's
 * takes 40 s for a host of 200,000 combining marks.
 */
function isUrl(text: string): boolean {
  const [, authority] = /^(?:https?|wss?):\/\/([^\s\\/?#]+)/i.exec(text) ?? [];
  if (authority === undefined || /[\s\\]/.test(text)) return false;
  const host = authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/, "");
  return host.length <= LONGEST.host && URL.canParse(text);
}

/** A day of the calendar. */
function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? [];
  if (year === undefined || month < 1 || month > 12) return false;
  const leap = month === 2 && (year % 4 === 0 && year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= DAYS[month - 1] + (leap ? 1 : 0);
}

/** RFC 3339. Without leap seconds, which no clock of a runtime can hold. */
function isDateTime(text: string): boolean {
  return /^t$/i.test(text.charAt(10)) && text.length <= 11 + LONGEST.time &&
    isDate(text.slice(0, 10)) && TIME.test(text.slice(11));
}

/** 7 to 15 digits in groups; a country code, which begins with no 0, after a plus. */
function isPhone(text: string): boolean {
  if (text.length > LONGEST.phone) return false;
  const digits = text.replace(/\D/g, "").length;
  return digits >= 7 && digits <= 15 && !text.startsWith("+0") && PHONE.test(text);
}

/** How each is checked. */
export const FORMATS: Readonly<Record<Format, v.CheckAction<string, string>>> = {
  email: v.check(isEmail, "must be an email address"),
  url: v.check(isUrl, "must be a URL such as https://example.com/"),
  uuid: v.check((text) => v.UUID_REGEX.test(text), "must be a UUID"),
  date: v.check(isDate, "must be a date such as 2026-01-31"),
  datetime: v.check(isDateTime, "must be a time with its zone such as 2026-01-31T12:00:00Z"),
  ip: v.check(
    (text) => text.length <= LONGEST.ip && v.IP_REGEX.test(text),
    "must be an IP address",
  ),
  phone: v.check(isPhone, "must be a phone number such as +49 30 901820"),
};
