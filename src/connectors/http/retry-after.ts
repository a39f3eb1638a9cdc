/** The header `Retry-After`. */

/**
 * The time that it asks for, in milliseconds from `now`, which is a wall clock. It has seconds or a
 * date. Undefined where it is absent or says neither; 0 for a date that has passed.
 */
export function retryAfterOf(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  // `Date.parse` takes nearly anything that has digits: only the three forms of HTTP begin so.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const time = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
