/** How `weir health` and `weir status` ask a running server. */
import { type ClientRequestArgs, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import process from "node:process";
import { quoted, shownWords } from "../base/shown.ts";
import { duration } from "../contract/value-schema.ts";
import { UsageError } from "./arguments.ts";

/** A certificate rarely names these. The connection does not leave the machine. */
const OWN_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
/** What a header can hold. */
const TOKEN = /^[\x21-\x7e]+$/;

/** What a server answered. */
export interface Answer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
}

/** How to ask. */
export interface Asking {
  /** Rejects if there is no whole answer within this time, in milliseconds. */
  readonly limit: number;
  /** Sent as `Authorization: Bearer`; undefined for none. */
  readonly token?: string | undefined;
  /** The longest body that is read, in characters. */
  readonly longest: number;
}

/**
 * The URL to ask. Without a path it has `path`.
 *
 * @throws {UsageError} The text is no URL, or one that `command` cannot ask.
 */
export function parseUrl(
  command: string,
  text: string,
  { path, example }: { readonly path: string; readonly example: string },
): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `${command} needs an http or https URL such as ${example}, not ${quoted(text)}`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(`${command} sends no user and no password; remove them from the URL`);
  }
  if (url.pathname === "/") url.pathname = path;
  url.hash = "";
  return url;
}

/**
 * A time limit in milliseconds.
 *
 * @throws {UsageError} The text is no duration.
 */
export function parseTimeout(text: string): number {
  const result = duration().parse(text);
  if ("value" in result) return result.value;
  throw new UsageError(`--timeout ${text}: ${result.problem}`);
}

/**
 * The token of the command line, or that of the environment.
 *
 * @throws {UsageError} It cannot be sent.
 */
export function tokenOf(given: string | undefined): string | undefined {
  const token = given ?? (process.env["WEIR_ADMIN_TOKEN"] || undefined);
  if (token === undefined || TOKEN.test(token)) return token;
  const where = given === undefined ? "WEIR_ADMIN_TOKEN" : "--token";
  throw new UsageError(`${where}: a token has no spaces and only ASCII characters`);
}

/** Asks a server. Rejects without an answer; `whyUnanswered` says why. */
export function ask(url: URL, { limit, token, longest }: Asking): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Not `fetch`, which uses the proxy of HTTP_PROXY on Deno and Bun and cannot accept certificates.
  const options: ClientRequestArgs & { readonly rejectUnauthorized: boolean } = {
    agent: false,
    headers: {
      connection: "close",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    signal: AbortSignal.timeout(limit),
    rejectUnauthorized: !OWN_HOSTS.includes(url.hostname),
  };
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  send(url, options, (response) => readAnswer(response, longest).then(resolve, reject))
    .on("error", reject)
    .end();
  return promise;
}

/** Why there is no answer, in words. */
export function whyUnanswered(error: unknown, limit: number): string {
  const { name, code, message } = error as Error & { readonly code?: unknown };
  if (name === "AbortError") return `there was no answer within ${limit} ms`;
  if (code === "ECONNREFUSED") return "nothing listens on this port";
  if (code === "ENOTFOUND") return "there is no such host";
  return `the request failed: ${shownWords(message.trim())}`;
}

/** Why an admin port refused to answer; undefined for another answer. */
export function refusalOf({ status }: Answer, token: string | undefined): string | undefined {
  if (status === 401) {
    return token === undefined
      ? "the server needs a token; set WEIR_ADMIN_TOKEN or --token"
      : "the server does not accept the token";
  }
  return status === 421 ? "the server answers only localhost, 127.0.0.1 and [::1]" : undefined;
}

/** A body as an object; an empty one if it is not JSON. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {}; // A Weir server answers with JSON.
  }
}

async function readAnswer(response: IncomingMessage, longest: number): Promise<Answer> {
  response.setEncoding("utf8");
  let text = "";
  for await (const part of response) {
    text += part;
    if (text.length > longest) break;
  }
  return { status: response.statusCode ?? 0, text: text.slice(0, longest) };
}
