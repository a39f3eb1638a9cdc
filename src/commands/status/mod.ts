/** `weir status`: prints how a running server is, as its admin port tells. */
import type { StatusReport } from "../../server/status.ts";
import type { StatusCommand } from "../arguments.ts";
import {
  type Answer,
  ask,
  type Asking,
  parseObject,
  parseTimeout,
  parseUrl,
  refusalOf,
  tokenOf,
  whyUnanswered,
} from "../asking.ts";
import { ADMIN_URL } from "../usage.ts";
import { formatStatus, type Looks } from "./format.ts";
import { parseSamples, type Sample } from "./samples.ts";

/** Histograms of a thousand flows are shorter. In characters. */
const LONGEST_ANSWER = 32 * 1024 * 1024;
/** The time between two looks at the metrics, for rates, in milliseconds. */
const INTERVAL = 1_000;

/** The admin port did not tell how the server is. */
class NotReached extends Error {}

/**
 * Prints a summary of the server. Returns 0 if it is ready, 1 if it is not, and 2 if it cannot be
 * asked.
 *
 * @throws {UsageError} The URL, the time limit or the token is invalid.
 */
export async function status(command: StatusCommand): Promise<number> {
  const url = parseUrl("status", command.url, { path: "/status", example: ADMIN_URL });
  const limit = parseTimeout(command.timeout);
  const token = tokenOf(command.token);
  const asking = { limit, token, longest: LONGEST_ANSWER };
  try {
    const report = await askStatus(url, asking);
    const looks = await lookTwice(new URL("metrics", url), asking);
    for (const line of formatStatus(report, looks)) console.log(line);
    return report.state === "ready" ? 0 : 1;
  } catch (error) {
    if (!(error instanceof NotReached)) throw error;
    console.error(`error[not-reached]: ${url.href}: ${error.message}`);
    return 2;
  }
}

async function askStatus(url: URL, asking: Asking): Promise<StatusReport> {
  const answer = await askOrFail(url, asking);
  const body = parseObject(answer.text);
  if (answer.status === 200 && isReport(body)) return body;
  const what = `an answer with the status ${answer.status}`;
  throw new NotReached(`this is not the admin port of a Weir server, but ${what}`);
}

/** Undefined where the admin port has no metrics. */
async function lookTwice(url: URL, asking: Asking): Promise<Looks | undefined> {
  const before = await look(url, asking);
  if (before === undefined) return undefined;
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  const after = await look(url, asking);
  if (after === undefined) return undefined;
  return { before, after, seconds: (performance.now() - startedAt) / 1_000 };
}

async function look(url: URL, asking: Asking): Promise<readonly Sample[] | undefined> {
  const { status, text } = await askOrFail(url, asking);
  return status === 200 ? parseSamples(text) : undefined;
}

async function askOrFail(url: URL, asking: Asking): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await ask(url, asking);
  } catch (error) {
    throw new NotReached(whyUnanswered(error, asking.limit));
  }
  const refusal = refusalOf(answer, asking.token);
  if (refusal !== undefined) throw new NotReached(refusal);
  return answer;
}

/** Whether a body is what an admin port answers, so that it can be printed. */
function isReport(body: unknown): body is StatusReport {
  const { state, service, connectors, flows, counts, reasons } = body as Partial<StatusReport>;
  return typeof state === "string" && typeof service === "object" && typeof counts === "object" &&
    [connectors, flows, reasons].every(Array.isArray);
}
