/** Requests as events: path, query and body, read within limits of size and time. */
import type { Context } from "hono";
import type { ClientIdentity } from "../../access/auth/identity.ts";
import type { Clock } from "../../base/clock.ts";
import { isObject, parseJson } from "../../base/json.ts";
import { isDecodable } from "../../base/text.ts";
import type { Client, FlowEvent } from "../../contract/connector.ts";
import { clientOf, type RequestHead } from "./client.ts";
import { honoParameter, type Operation } from "./operation.ts";
import { errorResponse, unavailable } from "./response.ts";

/** Milliseconds without a byte after which a body times out. */
const IDLE_TIMEOUT = 30_000;
/** Milliseconds after which a body that is not complete times out. */
const TIMEOUT = 300_000;
/** Milliseconds between two checks of that: a timer for each body would cost more than reading it. */
const CHECK_INTERVAL = 1_000;

/** What a request adds to `input` beside the fields of its payload. */
export const METADATA: ReadonlySet<string> = new Set(["headers", "body"]);

/** How the bodies of a connector's requests are read. */
export interface BodyOptions {
  readonly reader: BodyReader;
  /** In bytes. */
  readonly maxSize: number;
}

/** What is known of a request without its body. */
export interface Sender {
  readonly head: RequestHead;
  readonly identity: ClientIdentity;
}

/** One request. What few flows read is made when it is first used. */
export class RequestEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly input: Readonly<Record<string, unknown>>;
  readonly metadata = METADATA;
  readonly #sender: Sender;
  readonly #named: Readonly<Record<string, unknown>>;
  #client: Client | undefined;

  /** `named` are the fields of path and query, `body` is undefined where there is none. */
  constructor(
    operation: string,
    sender: Sender,
    named: Readonly<Record<string, unknown>>,
    body: unknown,
  ) {
    const fields = { ...(isObject(body) ? body : {}), ...named };
    this.operation = operation;
    this.payload = body === undefined || isObject(body) ? fields : body;
    this.input = { ...fields, headers: sender.head.headers, body: body ?? null };
    this.#sender = sender;
    this.#named = named;
  }

  get client(): Client {
    const { head, identity } = this.#sender;
    return this.#client ??= clientOf(head, identity);
  }

  /** Of its URL, as it was sent. */
  get path(): string {
    return this.#sender.head.url.pathname;
  }

  get textFields(): ReadonlySet<string> {
    return new Set(Object.keys(this.#named));
  }

  get traceparent(): string | undefined {
    return this.#sender.head.headers.traceparent;
  }

  get tracestate(): string | undefined {
    return this.#sender.head.headers.tracestate;
  }
}

/**
 * The event of a request, or the response that refuses it. What a flow sees of URL and headers is
 * what the head has, in which there is no token.
 *
 * A query parameter is text; one that is repeated is a list of its texts in order. The payload is
 * the fields of path, query and body, path over query over body. A body that is not a JSON object is
 * the payload itself, and path and query are then on `input` alone.
 */
export async function readEvent(
  context: Context,
  { method, path, parameters }: Operation,
  sender: Sender,
  options: BodyOptions,
): Promise<FlowEvent | Response> {
  const { url } = sender.head;
  if (!isDecodable(url.pathname)) {
    return errorResponse("invalid_message", "the path is not valid percent-encoded UTF-8");
  }
  const body = await readBody(context, options);
  if (body instanceof Response) return body;

  const named = {
    ...readQuery(url.searchParams),
    ...Object.fromEntries(parameters.map((name) => [name, context.req.param(honoParameter(name))])),
  };
  return new RequestEvent(`${method} ${path}`, sender, named, body.value);
}

/** The body's value; undefined without a body. Only JSON is accepted, so a form of another site is not. */
async function readBody(
  { req }: Context,
  { reader, maxSize }: BodyOptions,
): Promise<{ readonly value: unknown } | Response> {
  if (Number(req.header("content-length") ?? 0) > maxSize) return refusal("too_large", maxSize);
  let text = "";
  const stream = await bodyOf(req);
  if (stream === undefined) return refusal("broken", maxSize);
  if (stream !== null) {
    const body = await reader.read(stream, maxSize);
    if ("failure" in body) return refusal(body.failure, maxSize);
    text = body.text;
  }
  if (text === "") return { value: undefined };
  if (!isJson(req.header("content-type") ?? "")) {
    return errorResponse("unsupported_type", "the body must be JSON: application/json");
  }
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return errorResponse("invalid_json", `the body is ${error.message}`);
  }
}

/** The body; null without one, undefined where it was read and cannot be read again. */
async function bodyOf(req: Context["req"]): Promise<ReadableStream<Uint8Array> | null | undefined> {
  if (!req.raw.bodyUsed) return req.raw.body;
  try {
    // The embedding application has read it. Hono keeps it, unless it was read without Hono.
    return new Response(await req.arrayBuffer()).body;
  } catch {
    return undefined;
  }
}

/** The response where a body was not read to its end. */
function refusal(failure: BodyFailure, maxSize: number): Response {
  switch (failure) {
    case "too_large":
      return errorResponse("too_large", `the body is larger than ${maxSize} bytes`);
    case "too_slow": {
      const headers = { "connection": "close" };
      return errorResponse("timeout", "the body did not arrive in time", { status: 408, headers });
    }
    case "closing":
      return unavailable();
    case "broken":
      return errorResponse("invalid_message", "the body is not UTF-8, or is incomplete");
  }
}

function isJson(contentType: string): boolean {
  const [type, ...parameters] = contentType.toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((part) => part.startsWith("charset="));
  return /^application\/(?:[^\s/+]+\+)*json$/.test(type) &&
    (charset === undefined || /^charset="?utf-8"?$/.test(charset));
}

function readQuery(query: URLSearchParams): Readonly<Record<string, unknown>> {
  // Not with getAll(): for a query of many names it takes time that grows with their square.
  const values = new Map<string, string | string[]>();
  for (const [name, value] of query) {
    const found = values.get(name);
    if (found === undefined) values.set(name, value);
    else if (typeof found === "string") values.set(name, [found, value]);
    else found.push(value);
  }
  return Object.fromEntries(values);
}

/** Why a body was not read to its end. */
export type BodyFailure = "too_large" | "too_slow" | "closing" | "broken";

/** A body that was read, or why it was not. */
export type Body = { readonly text: string } | { readonly failure: BodyFailure };

/** Reads the bodies of one connector. */
export class BodyReader {
  readonly #clock: Clock;
  /** The bodies that are being read. */
  readonly #reading = new Set<Reading>();
  #cancelCheck: (() => void) | undefined;
  #closed = false;

  /** Timeouts follow `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads a body of at most `maxSize` bytes of UTF-8. The server drops the rest of a larger one. */
  async read(stream: ReadableStream<Uint8Array>, maxSize: number): Promise<Body> {
    if (this.#closed) return { failure: "closing" };
    // Something else is reading it.
    if (stream.locked) return { failure: "broken" };
    const reading = new Reading(stream, this.#clock);
    this.#reading.add(reading);
    this.#cancelCheck ??= this.#clock.after(CHECK_INTERVAL, this.#check);
    try {
      return await reading.text(maxSize);
    } finally {
      this.#reading.delete(reading);
    }
  }

  /** Stops reading all bodies that are not complete. */
  close(): void {
    this.#closed = true;
    this.#cancelCheck?.();
    for (const reading of this.#reading) reading.giveUp("closing");
  }

  readonly #check = (): void => {
    const now = this.#clock.elapsed();
    for (const reading of this.#reading) if (reading.isLate(now)) reading.giveUp("too_slow");
    this.#cancelCheck = this.#reading.size === 0
      ? undefined
      : this.#clock.after(CHECK_INTERVAL, this.#check);
  };
}

/** One body that is being read. */
class Reading {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #clock: Clock;
  readonly #begunAt: number;
  #movedAt: number;
  #failure: BodyFailure | undefined;

  constructor(stream: ReadableStream<Uint8Array>, clock: Clock) {
    this.#reader = stream.getReader();
    this.#clock = clock;
    this.#begunAt = this.#movedAt = clock.elapsed();
  }

  async text(maxSize: number): Promise<Body> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const parts: string[] = [];
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (this.#failure !== undefined) return { failure: this.#failure };
        if (done) return { text: parts.join("") + decoder.decode() };
        this.#movedAt = this.#clock.elapsed();
        size += value.length;
        if (size > maxSize) {
          this.giveUp("too_large");
          return { failure: "too_large" };
        }
        parts.push(decoder.decode(value, { stream: true }));
      }
    } catch {
      return { failure: this.#failure ?? "broken" };
    }
  }

  /** Ends the pending read. */
  giveUp(failure: BodyFailure): void {
    this.#failure ??= failure;
    // Cancelling would close the socket before the response on Node. This rejects the pending read.
    this.#reader.releaseLock();
  }

  /** Whether it has timed out. */
  isLate(now: number): boolean {
    return now >= Math.min(this.#movedAt + IDLE_TIMEOUT, this.#begunAt + TIMEOUT);
  }
}
