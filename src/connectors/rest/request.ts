/** Makes an event of a request. */
import type { Context } from "hono";
import type { FlowEvent } from "../../connector.ts";
import { isObject, parseJson } from "../../json.ts";
import { honoParameter, type Operation } from "./operation.ts";
import { errorResponse } from "./response.ts";

/**
 * The event of a request, or the answer that refuses it. `maxBodySize` is in bytes.
 *
 * A query parameter is text; one that is repeated is a list of its texts in order. The payload is
 * the fields of path, query and body, path over query over body. A body that is no JSON object is
 * the payload itself, and path and query are then on `input` alone.
 */
export async function readEvent(
  context: Context,
  { method, path, parameters }: Operation,
  maxBodySize: number,
): Promise<FlowEvent | Response> {
  const url = new URL(context.req.url);
  if (!isDecodable(url.pathname)) {
    return errorResponse("invalid_message", "the path is not valid percent-encoded UTF-8");
  }
  const body = await readBody(context, maxBodySize);
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
  maxSize: number,
): Promise<{ readonly value: unknown } | Response> {
  const tooLarge = () => errorResponse("too_large", `the body is larger than ${maxSize} bytes`);
  if (Number(req.header("content-length") ?? 0) > maxSize) return tooLarge();
  let text: string | undefined;
  try {
    // The embedding application may have read the body already; hono has kept it then.
    const stream = req.raw.bodyUsed ? new Response(await req.arrayBuffer()).body : req.raw.body;
    text = stream === null ? "" : await readText(stream, maxSize);
  } catch {
    return errorResponse("invalid_message", "the body is not UTF-8, or broke off");
  }
  if (text === undefined) return tooLarge();
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

/** Undefined where there are more bytes than `maxSize`; the rest is left to the server. */
async function readText(
  stream: ReadableStream<Uint8Array>,
  maxSize: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = stream.getReader();
  const parts: string[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > maxSize) {
      // Cancelling would close the socket under the answer on Node.
      reader.releaseLock();
      return undefined;
    }
    parts.push(decoder.decode(next.value, { stream: true }));
  }
  return parts.join("") + decoder.decode();
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

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
