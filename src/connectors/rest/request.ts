/** Makes an event of a request. */
import type { Context } from "hono";
import type { FlowEvent } from "../../contract/connector.ts";
import { isObject, parseJson } from "../../base/json.ts";
import { isDecodable } from "../../base/text.ts";
import type { BodyFailure, BodyReader } from "./body.ts";
import { honoParameter, type Operation } from "./operation.ts";
import { errorResponse, unavailable } from "./response.ts";

/** How the bodies of a connector's requests are read. */
export interface BodyOptions {
  readonly reader: BodyReader;
  /** In bytes. */
  readonly maxSize: number;
}

/**
 * The event of a request, or the answer that refuses it.
 *
 * A query parameter is text; one that is repeated is a list of its texts in order. The payload is
 * the fields of path, query and body, path over query over body. A body that is no JSON object is
 * the payload itself, and path and query are then on `input` alone.
 */
export async function readEvent(
  context: Context,
  { method, path, parameters }: Operation,
  options: BodyOptions,
): Promise<FlowEvent | Response> {
  const url = new URL(context.req.url);
  if (!isDecodable(url.pathname)) {
    return errorResponse("invalid_message", "the path is not valid percent-encoded UTF-8");
  }
  const body = await readBody(context, options);
  if (body instanceof Response) return body;

  const operation = `${method} ${path}`;
  const named = {
    ...readQuery(url.searchParams),
    ...Object.fromEntries(parameters.map((name) => [name, context.req.param(honoParameter(name))])),
  };
  const fields = { ...(isObject(body.value) ? body.value : {}), ...named };
  return {
    operation,
    payload: body.value === undefined || isObject(body.value) ? fields : body.value,
    input: {
      ...fields,
      headers: Object.fromEntries(context.req.raw.headers),
      body: body.value ?? null,
    },
  };
}

/** The body's value, undefined without one. JSON alone is taken, so a form of another site is not. */
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

/** The body, null without one; undefined where it has been read and is not there any more. */
async function bodyOf(req: Context["req"]): Promise<ReadableStream<Uint8Array> | null | undefined> {
  if (!req.raw.bodyUsed) return req.raw.body;
  try {
    // The embedding application has read it; hono has kept it, unless it was read past hono.
    return new Response(await req.arrayBuffer()).body;
  } catch {
    return undefined;
  }
}

/** The answer where a body was not read to its end. */
function refusal(failure: BodyFailure, maxSize: number): Response {
  switch (failure) {
    case "too_large":
      return errorResponse("too_large", `the body is larger than ${maxSize} bytes`);
    case "too_slow": {
      const headers = { "connection": "close" };
      return errorResponse("timeout", "the body did not come in time", { status: 408, headers });
    }
    case "closing":
      return unavailable();
    case "broken":
      return errorResponse("invalid_message", "the body is not UTF-8, or broke off");
  }
}

function isJson(contentType: string): boolean {
  const [type, ...parameters] = contentType.toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((part) => part.startsWith("charset="));
  return /^application\/(?:[^\s/+]+\+)*json$/.test(type) &&
    (charset === undefined || /^charset="?utf-8"?$/.test(charset));
}

function readQuery(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const entries = [...new Set(query.keys())].map((name) => {
    const values = query.getAll(name);
    return [name, values.length === 1 ? values[0] : values];
  });
  return Object.fromEntries(entries);
}
