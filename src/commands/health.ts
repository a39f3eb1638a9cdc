/** `weir health`: asks a running server whether it is ready. */
import { type ClientRequestArgs, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { quoted, shownWords } from "../base/shown.ts";
import { duration } from "../contract/value-schema.ts";
import { type HealthCommand, UsageError } from "./arguments.ts";

/** The answer of a server is shorter; of anything else, the rest is not read. In characters. */
const LONGEST_ANSWER = 65_536;
/** A certificate rarely names these. The connection does not leave the machine. */
const OWN_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** What a server answered. */
interface Answer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
}

/**
 * Prints in one line whether the server is ready, and if not, why. Returns the exit code.
 *
 * @throws {UsageError} The URL or the time limit is invalid.
 */
export async function health({ url: text, timeout }: HealthCommand): Promise<number> {
  const url = parseUrl(text);
  const problem = await findProblem(url, parseTimeout(timeout));
  if (problem === undefined) {
    console.log(`ready: ${url.href}`);
    return 0;
  }
  console.error(`error[not-ready]: ${url.href}: ${problem}`);
  return 1;
}

/** Why there is no answer within `limit` milliseconds that says "ready"; undefined if there is one. */
export async function findProblem(url: URL, limit: number): Promise<string | undefined> {
  try {
    return problemOf(await ask(url, limit));
  } catch (error) {
    const { name, code, message } = error as Error & { readonly code?: unknown };
    if (name === "AbortError") return `there was no answer within ${limit} ms`;
    if (code === "ECONNREFUSED") return "nothing listens on this port";
    if (code === "ENOTFOUND") return "there is no such host";
    return `the request failed: ${shownWords(message.trim())}`;
  }
}

/**
 * The URL to ask. Without a path it is that of the readiness check.
 *
 * @throws {UsageError} The text is no URL, or one that cannot be asked.
 */
export function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `health needs an http or https URL such as http://localhost:3000, not ${quoted(text)}`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("health sends no user and no password; remove them from the URL");
  }
  if (url.pathname === "/") url.pathname = "/health/ready";
  url.hash = "";
  return url;
}

function parseTimeout(text: string): number {
  const result = duration().parse(text);
  if ("value" in result) return result.value;
  throw new UsageError(`--timeout ${text}: ${result.problem}`);
}

/** Rejects if there is no whole answer within `limit` milliseconds. */
function ask(url: URL, limit: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Not `fetch`, which uses the proxy of HTTP_PROXY on Deno and Bun and cannot accept certificates.
  const options: ClientRequestArgs & { readonly rejectUnauthorized: boolean } = {
    agent: false,
    headers: { connection: "close" },
    signal: AbortSignal.timeout(limit),
    rejectUnauthorized: !OWN_HOSTS.includes(url.hostname),
  };
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  send(url, options, (response) => readAnswer(response).then(resolve, reject))
    .on("error", reject)
    .end();
  return promise;
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  response.setEncoding("utf8");
  let text = "";
  for await (const part of response) {
    text += part;
    if (text.length > LONGEST_ANSWER) break;
  }
  return { status: response.statusCode ?? 0, text: text.slice(0, LONGEST_ANSWER) };
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

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {}; // A Weir server answers with JSON.
  }
}
