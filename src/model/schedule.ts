/** When a flow without a source runs: the text of its `when`. */
import { Cron } from "croner";
import { didYouMean } from "../base/nearest.ts";
import type { CodedProblem } from "../contract/definition.ts";
import { duration } from "../contract/value-schema.ts";

/** Every so many milliseconds, or by a cron pattern in the time zone of the process. */
export type Schedule = { readonly every: number } | { readonly cron: string };

const NICKNAMES: readonly string[] = [
  "@hourly",
  "@daily",
  "@midnight",
  "@weekly",
  "@monthly",
  "@yearly",
  "@annually",
];
const EXAMPLE = 'write it as "@every 30s" or as a cron pattern such as "*/5 * * * *"';

/**
 * Reads a `when`: `@every DURATION`, five cron fields, six with seconds in front, or a nickname
 * such as `@daily`. Says what is wrong with any other text.
 */
export function parseSchedule(text: string): Schedule | CodedProblem {
  const complain = (message: string, hint?: string): CodedProblem => ({
    code: "invalid-schedule",
    attribute: "when",
    message: `cannot run at "${text}": ${message}`,
    ...(hint === undefined ? {} : { hint }),
  });
  const trimmed = text.trim();
  const [word, ...rest] = trimmed.split(/\s+/);
  if (word === "@every") {
    const result = duration({ max: Number.MAX_SAFE_INTEGER }).parse(rest.join(" "));
    return "value" in result
      ? { every: result.value }
      : complain(`the time after @every ${result.problem}`);
  }
  if (word.startsWith("@")) {
    if (NICKNAMES.includes(word)) {
      return rest.length === 0 ? { cron: word } : complain(`nothing can follow "${word}"`);
    }
    return complain(
      `"${word}" is no schedule`,
      didYouMean(word, ["@every", ...NICKNAMES]) ?? EXAMPLE,
    );
  }
  if (rest.length !== 4 && rest.length !== 5) {
    return complain("a cron pattern has five fields, or six with seconds in front", EXAMPLE);
  }
  try {
    const cron = new Cron(trimmed, { paused: true, mode: "5-or-6-parts" });
    return cron.nextRun() === null ? complain("that never comes") : { cron: trimmed };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return complain(error.message.replace(/^CronPattern: /, ""), EXAMPLE);
  }
}
