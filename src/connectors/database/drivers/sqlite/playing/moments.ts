/** Times as the played database stores and returns them: ISO 8601, UTC. */

const MOMENT =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/**
 * A time as text that sorts as time does: with milliseconds, or with microseconds where it has any.
 * One without a zone is UTC. Undefined for what is no time.
 *
 * @param digits How many digits of a second are kept; the rest is rounded.
 * @param shown How many digits of a second the text has, in place of three or six.
 */
export function toMoment(value: unknown, digits: number, shown?: number): string | undefined {
  const text = value instanceof Date ? isoOf(value) : value;
  if (typeof text !== "string") return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] =
    MOMENT.exec(text) ?? [];
  if (year === undefined) return undefined;
  const whole = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes February 30 for March 2 on some runtimes.
  if (Number.isNaN(whole) || new Date(whole).getUTCDate() !== Number(day)) return undefined;
  const unit = 10 ** (6 - Math.min(digits, 6));
  const micros = Math.round(Number(fraction.padEnd(9, "0")) / 1000 / unit) * unit;
  const moment = whole - offsetOf(zone) + Math.floor(micros / 1_000_000) * 1000;
  const rest = String(micros % 1_000_000).padStart(6, "0");
  const length = shown ?? (rest.endsWith("000") ? 3 : 6);
  return `${new Date(moment).toISOString().slice(0, 19)}.${rest.slice(0, length)}Z`;
}

/** The day of a time, such as `2026-01-01`; undefined for what is no time. */
export function toDay(value: unknown): string | undefined {
  return toMoment(value, 6)?.slice(0, 10);
}

function isoOf(date: Date): string | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Milliseconds. */
function offsetOf(zone: string): number {
  const [, sign, hours, minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === "-" ? -offset : offset;
}
