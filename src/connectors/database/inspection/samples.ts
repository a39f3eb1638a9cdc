/** Values that stand for all of their kind: where a column takes some value of the kind, it takes one of these. */
import type { KnownValue, ValueKind } from "../../../base/known-value.ts";

const WHOLE = [0, 1, 12, 2026, 20_260_131, -1];
const LONG = ["9007199254740993", "-9007199254740993"];
const UUIDS = ["123e4567-e89b-42d3-a456-426614174000", "aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa"];
const DATES = ["2026-01-31"];
const TIMES = ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.5+02:00"];

/** The samples of each kind. */
export const SAMPLES: Readonly<Record<ValueKind, readonly unknown[]>> = {
  null: [null],
  boolean: [true, false],
  integer: WHOLE,
  number: [...WHOLE, 1.5],
  long: LONG,
  text: [
    ...["", "a", "0", "1", "12", "1.5", "true", "AAAA", "{}", "[]", "{1}", "12:00:00"],
    ...LONG,
    ...UUIDS,
    ...DATES,
    ...TIMES,
  ],
  list: [[], [1], ["a"], [[1]]],
  object: [{}, { a: 1 }],
  email: ["a@example.com", "1@1.de"],
  url: ["https://example.com/", "ws://1.2.3.4:5/6"],
  uuid: UUIDS,
  ip: ["1.2.3.4", "::1", "2001:db8::1"],
  date: DATES,
  time: TIMES,
};

const WORDS: Readonly<Record<ValueKind, string>> = {
  null: "null",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  long: "a whole number",
  text: "a text",
  list: "a list",
  object: "an object",
  email: "an email address",
  url: "a URL",
  uuid: "a UUID",
  ip: "an IP address",
  date: "a date",
  time: "a time",
};

/** The values that stand for one that is known. */
export function samplesOf(known: KnownValue): readonly unknown[] {
  return "kind" in known ? SAMPLES[known.kind] : [known.value];
}

/** A kind in words. */
export function wordsOf(kind: ValueKind): string {
  return WORDS[kind];
}
