/** What commands print: problems for people and as JSON, errors with their exit codes. */
import process from "node:process";
import { ConfigError, ConnectorError, WorkerError } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import { ConfigPathError } from "../server/files.ts";
import { UsageError } from "./arguments.ts";

/** A position as in the Language Server Protocol: lines and UTF-16 units, from 0. */
export interface EditorPosition {
  readonly line: number;
  readonly character: number;
}

/** A problem as `weir check --json` prints it. */
export interface ReportedProblem extends Omit<Problem, "source"> {
  /** The range to underline; `end` is exclusive. */
  readonly range: { readonly start: EditorPosition; readonly end: EditorPosition };
}

/**
 * Prints an expected error and returns its exit code: 1 for an invalid configuration, 2 for invalid
 * usage, 3 for a failed start. Throws any other error again, since it is a bug.
 */
export function printError(error: unknown): number {
  if (error instanceof ConfigError) {
    console.error(error.message);
    console.error(`\n${countProblems(error.problems)}`);
    return 1;
  }
  if (error instanceof UsageError || error instanceof ConfigPathError) {
    console.error(`error[${error.code}]: ${error.message}`);
    return 2;
  }
  if (error instanceof ConnectorError || error instanceof WorkerError) {
    console.error(`error[${error.code}]: ${error.message}`);
    return 3;
  }
  throw error;
}

/** Waits until everything printed has been written: on Node, an exit drops what a pipe still buffers. */
export async function flushOutput(): Promise<void> {
  const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
    // The callback is also called if the reader is gone.
    new Promise((resolve) => void stream.write("", () => resolve()));
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
}

/** Such as `2 problems, 1 warning`; zeros are left out. */
export function countProblems(problems: readonly Problem[]): string {
  const warnings = problems.filter(({ severity }) => severity === "warning").length;
  const errors = problems.length - warnings;
  return [
    ...(errors > 0 ? [count(errors, "problem")] : []),
    ...(warnings > 0 ? [count(warnings, "warning")] : []),
  ].join(", ");
}

/** Such as `1 flow` or `2 flows`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}

/** A problem as plain data. */
export function toReported({ source, ...problem }: Problem): ReportedProblem {
  const line = Math.max(0, problem.line - 1);
  const before = Math.max(0, problem.column - 1);
  const start = { line, character: unitsOf(source, before) };
  const end = { line, character: unitsOf(source, before + problem.length) };
  return { ...problem, range: { start, end } };
}

/** The number of UTF-16 units in the first `characters` of a text. */
function unitsOf(text: string, characters: number): number {
  return [...text].slice(0, characters).join("").length;
}
