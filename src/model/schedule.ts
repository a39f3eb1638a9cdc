/** When a flow without a source runs: the text of its `when`. */
import { Cron } from "croner";
import { didYouMean } from "../base/nearest.ts";
import type { CodedProblem } from "../contract/definition.ts";
import { durationHint } from "../contract/value-hints.ts";
import { duration } from "../contract/value-schema.ts";

/** An interval in milliseconds, or a cron pattern in the time zone of the process. */
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
const FIELDS = "the fields are minute, hour, day of the month, month and day of the week";
const EXAMPLE = 'write it as "@every 30s" or as a cron pattern such as "*/5 * * * *"';

/**
 * Reads a `when`: `@every DURATION`, five cron fields, six with seconds in front, or a nickname
 * such as `@daily`. Says what is wrong with any other text.
 */
export function parseSchedule(text: string): Schedule | CodedProblem {
  const problem = (message: string, hint?: string): CodedProblem => ({
    code: "invalid-schedule",
    attribute: "when",
    message: `cannot run at "${text}": ${message}`,
    ...(hint === undefined ? {} : { hint }),
  });
  const trimmed = text.trim();
  const [word, ...rest] = trimmed.split(/\s+/);
  if (word === "@every") {
    const result = intervalOf(rest.join(" "));
    return "schedule" in result
      ? result.schedule
      : problem(`the time after @every ${result.problem}`, everyHint(rest.join(" ")));
  }
  if (word.startsWith("@")) {
    if (NICKNAMES.includes(word)) {
      return rest.length === 0 ? { cron: word } : problem(`nothing can follow "${word}"`);
    }
    return problem(
      `"${word}" is not a schedule`,
      didYouMean(word, ["@every", ...NICKNAMES]) ?? EXAMPLE,
    );
  }
  if (rest.length !== 4 && rest.length !== 5) {
    const hint = everyHint(trimmed.replace(/^every /i, "")) ?? EXAMPLE;
    return problem("a cron pattern has five fields, or six with seconds in front", hint);
  }
  try {
    const cron = new Cron(trimmed, { paused: true, mode: "5-or-6-parts" });
    return cron.nextRun() === null ? problem("that never comes") : { cron: trimmed };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return problem(error.message.replace(/^CronPattern: /, ""), FIELDS);
  }
}

function intervalOf(time: string) {
  const result = duration({ max: Number.MAX_SAFE_INTEGER }).parse(time);
  return "value" in result ? { schedule: { every: result.value } } : result;
}

/** The hint for a time that was meant as an interval. */
function everyHint(time: string): string | undefined {
  const [, written = time] = /^write "(.*)"$/.exec(durationHint(time) ?? "") ?? [];
  return "schedule" in intervalOf(written) ? `write "@every ${written}"` : undefined;
}
