/** Values that were meant for something else, as the attribute takes them. */

/** The units of a duration by the words that people write for them. */
const DURATIONS: ReadonlyMap<string, string> = new Map([
  ["ms", "ms msec msecs millis millisecond milliseconds"],
  ["s", "s sec secs second seconds"],
  ["m", "m min mins minute minutes"],
  ["h", "h hr hrs hour hours"],
  ["d", "d day days"],
].flatMap(([unit, words]) => words.split(" ").map((word) => [word, unit] as const)));

/** The units of a size by the words that people write for them. */
const SIZES: ReadonlyMap<string, string> = new Map([
  ["B", "b byte bytes"],
  ["KB", "k kb kib kbyte kbytes"],
  ["MB", "m mb mib mbyte mbytes"],
  ["GB", "g gb gib gbyte gbytes"],
].flatMap(([unit, words]) => words.split(" ").map((word) => [word, unit] as const)));

const AMOUNT = /^(\d+(?:\.\d+)?)[ _-]?([A-Za-z]*)\.?$/;

/** A number with a unit as it is written here; undefined where it is none. */
function amountOf(
  value: unknown,
  units: ReadonlyMap<string, string>,
  unit: string,
): string | undefined {
  const [, amount, word = ""] = AMOUNT.exec(String(value).trim()) ?? [];
  const found = word === "" ? unit : units.get(word.toLowerCase());
  return amount === undefined || found === undefined ? undefined : `${amount}${found}`;
}

/** The hint for what should have been a duration. A number without a unit counts as seconds. */
export function durationHint(value: unknown): string | undefined {
  const found = amountOf(value, DURATIONS, "s");
  return found === undefined || found === value ? undefined : `write "${found}"`;
}

/** The hint for what should have been a size. */
export function sizeHint(value: unknown): string | undefined {
  const found = amountOf(value, SIZES, "B");
  const isSize = found !== undefined && found !== value && !found.includes(".");
  return isSize ? `write "${found}"` : undefined;
}

/** The hint for what should have been a whole number. */
export function integerHint(value: unknown): string | undefined {
  const [, digits] = /^[ :=]*(\d+)[ ;,]*$/.exec(typeof value === "string" ? value : "") ?? [];
  return digits === undefined ? undefined : `write ${digits}`;
}

/** The hint for a list where one text is wanted. The text is not shown: it may be a secret. */
export function oneHint(value: unknown): string | undefined {
  return Array.isArray(value) ? "write one of them, without the brackets" : undefined;
}

/** The hint for a URL or a host with a port where a host alone is wanted. */
export function hostHint(value: string): string | undefined {
  const url = URL.parse(value.includes("://") ? value : `http://${value}`);
  return url === null || url.hostname === "" ? undefined : `write "${url.hostname}"`;
}

/** The problem and its hint as the lines of one message. */
export function withHint(problem: string, hint: string | undefined): string {
  return hint === undefined ? problem : `${problem}\n${hint}`;
}
