/** Timestamps as PostgreSQL writes them (`DateStyle` is ISO), and as JSON has them: ISO 8601, UTC. */

/** `2026-01-01 12:00:00.5+00`, the year with four digits or more, perhaps with ` BC`. */
const WRITTEN = /^(\d{4,})(-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-][\d:]+)?( BC)?$/;
/** ISO 8601 with an offset that is not UTC. */
const OFFSET = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(\.\d+)?([+-]\d\d)(?::?(\d\d))?$/;

/** ISO 8601 with a year that PostgreSQL writes otherwise: it takes neither signs nor a year 0. */
const FAR = /^([+-]\d{6}|0000)(-.*)$/;

/** What PostgreSQL takes for a date, or for a text of one. */
export function toTimestamp(value: string | Date): string {
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw new TypeError("is an invalid date");
  }
  const text = typeof value === "string" ? value : value.toISOString();
  const [, far, rest] = FAR.exec(text) ?? [];
  if (far === undefined) return text;
  const year = Number(far);
  const written = String(year > 0 ? year : 1 - year).padStart(4, "0");
  return `${written}${rest}${year > 0 ? "" : " BC"}`;
}

/** The same for a type without a zone, whose input function would drop the offset of a text. */
export function toZonelessTimestamp(value: string | Date): string {
  if (typeof value !== "string") return toTimestamp(value);
  const [, time, fraction = "", hours, minutes = "00"] = OFFSET.exec(value) ?? [];
  if (time === undefined) return toTimestamp(value);
  const date = new Date(`${time.replace(" ", "T")}${hours}:${minutes}`);
  // The server says what is wrong with it.
  if (Number.isNaN(date.getTime())) return value;
  return `${date.toISOString().slice(0, -5)}${fraction}`;
}

/**
 * ISO 8601, UTC: with microseconds where there are any, else with milliseconds. `infinity` stays as
 * it is.
 */
export function fromTimestamp(text: string): string {
  const [, year, day, time, fraction = "", offset, before] = WRITTEN.exec(text) ?? [];
  if (year === undefined) return text;
  const digits = fraction.length > 3 ? fraction.padEnd(6, "0") : fraction.padEnd(3, "0");
  if (before === undefined && year.length === 4 && (offset === undefined || offset === "+00")) {
    return `${year}${day}T${time}.${digits}Z`;
  }
  const number = before === undefined ? Number(year) : 1 - Number(year);
  const sign = number < 0 ? "-" : "+";
  const iso = number >= 0 && number <= 9999
    ? String(number).padStart(4, "0")
    : `${sign}${String(Math.abs(number)).padStart(6, "0")}`;
  if (offset === undefined || offset === "+00") return `${iso}${day}T${time}.${digits}Z`;
  // Only where somebody has set the session's zone.
  const zone = offset.includes(":") ? offset : `${offset}:00`;
  const date = new Date(`${iso}${day}T${time}${zone}`);
  return Number.isNaN(date.getTime()) ? text : `${date.toISOString().slice(0, -4)}${digits}Z`;
}
