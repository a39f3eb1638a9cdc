/** `weir health`: asks a running server whether it is ready. */
import { quoted } from "../base/shown.ts";
import type { HealthCommand } from "./arguments.ts";
import {
  type Answer,
  ask,
  parseObject,
  parseTimeout,
  parseUrl as parseAnyUrl,
  refusalOf,
  tokenOf,
  whyUnanswered,
} from "./asking.ts";

/** The answer of a server is shorter; of anything else, the rest is not read. In characters. */
const LONGEST_ANSWER = 65_536;

/**
 * Prints in one line whether the server is ready, and if not, why. Returns the exit code.
 *
 * @throws {UsageError} The URL, the time limit or the token is invalid.
 */
export async function health(command: HealthCommand): Promise<number> {
  const url = parseUrl(command.url);
  const problem = await findProblem(url, parseTimeout(command.timeout), tokenOf(command.token));
  if (problem === undefined) {
    console.log(`ready: ${url.href}`);
    return 0;
  }
  console.error(`error[not-ready]: ${url.href}: ${problem}`);
  return 1;
}

/** Why there is no answer within `limit` milliseconds that says "ready"; undefined if there is one. */
export async function findProblem(
  url: URL,
  limit: number,
  token?: string,
): Promise<string | undefined> {
  try {
    const answer = await ask(url, { limit, token, longest: LONGEST_ANSWER });
    return refusalOf(answer, token) ?? problemOf(answer);
  } catch (error) {
    return whyUnanswered(error, limit);
  }
}

/**
 * The URL to ask. Without a path it is that of the readiness check.
 *
 * @throws {UsageError} The text is no URL, or one that cannot be asked.
 */
export function parseUrl(text: string): URL {
  return parseAnyUrl("health", text, { path: "/health/ready", example: "http://localhost:3000" });
}

/** Why an answer does not say that the server is ready; undefined if it does. */
function problemOf({ status, text }: Answer): string | undefined {
  const body = parseObject(text);
  if (status === 200 && body.status === "ok") return undefined;
  if (status === 503 && body.status === "unavailable" && Array.isArray(body.connectors)) {
    const names = body.connectors.map(quoted);
    const noun = names.length === 1 ? "connector" : "connectors";
    return `${noun} ${names.join(", ")} cannot serve; the log of the server says why`;
  }
  return `this is not the health check of a Weir server, but an answer with the status ${status}`;
}
