/** The results of tests, for people and for programs. */
import type { TestPlace } from "../model/test.ts";
import { show } from "./match.ts";
import type { Received, TestFailure, TestResult } from "./result.ts";

/** How much of what came is shown to people. */
const MOST_SHOWN = 3;
/** How many characters of a value are. */
const LONGEST = 500;
const INDENT = "        ";

/** The lines of one test: one where it is good, else one for each failure and all that explains it. */
export function formatResult({ name, failures, log }: TestResult): string {
  if (failures.length === 0) return `ok      ${name}`;
  const lines = [
    ...failures.flatMap(failureLines),
    ...(log.length === 0 ? [] : ["log", ...log.map((line) => `  ${line}`)]),
  ];
  return [`FAILED  ${name}`, ...lines.map((line) => `${INDENT}${line}`)].join("\n");
}

/** Such as `3 tests, 1 failed`. */
export function formatSummary(results: readonly TestResult[]): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const tests = results.length === 1 ? "1 test" : `${results.length} tests`;
  return `${tests}, ${failed === 0 ? "all good" : `${failed} failed`}`;
}

/** All results as plain data. */
export function toJson(results: readonly TestResult[]): Readonly<Record<string, unknown>> {
  return {
    tests: results.length,
    failed: results.filter(({ failures }) => failures.length > 0).length,
    results: results.map(({ name, place, failures, log }) => ({
      name,
      ...place,
      ok: failures.length === 0,
      failures: failures.map(({ place, ...failure }) => ({ ...place, ...failure })),
      log: failures.length === 0 ? [] : log,
    })),
  };
}

function failureLines({ place, message, expected, received }: TestFailure): readonly string[] {
  const shown = received?.slice(0, MOST_SHOWN) ?? [];
  const more = (received?.length ?? 0) - shown.length;
  return [
    `${at(place)}  ${message}`,
    ...(expected === undefined ? [] : [`  expected  ${short(expected)}`]),
    ...(received?.length === 0 ? ["  came      nothing"] : shown.flatMap(receivedLines)),
    ...(more === 0 ? [] : [`  and ${more} more`]),
  ];
}

function receivedLines({ value, differences }: Received): readonly string[] {
  return [
    `  came      ${short(value)}`,
    ...differences.map(({ path, message }) => `            ${path}: ${message}`),
  ];
}

function short(value: unknown): string {
  const text = show(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

function at({ file, line }: TestPlace): string {
  return `${file}:${line}`;
}
