/** The responses of flows, and of requests that no flow serves. */
import type { Outcome } from "../../contract/connector.ts";
import type { Ending } from "../../contract/dispatch.ts";
import type { ErrorCode } from "../../base/error-codes.ts";
import { FlowError } from "../../base/errors.ts";
import { integersAsJson } from "../../base/json.ts";

/** The codes of the wire protocol, and those of HTTP alone. They are stable. */
export type HttpErrorCode =
  | ErrorCode
  | "not_found"
  | "method_not_allowed"
  | "too_large"
  | "unsupported_type"
  | "unavailable";

const STATUS: Readonly<Record<HttpErrorCode, number>> = {
  invalid_json: 400,
  invalid_message: 400,
  unauthorized: 401,
  rejected: 403,
  room_forbidden: 403,
  not_found: 404,
  unknown_type: 404,
  method_not_allowed: 405,
  too_large: 413,
  unsupported_type: 415,
  invalid_room: 422,
  too_many_rooms: 422,
  validation_failed: 422,
  rate_limited: 429,
  flow_failed: 500,
  unavailable: 503,
  timeout: 504,
};

/** The status of a code; a code that is not ours says nothing, so the flow has failed. */
function statusOf(code: string): number {
  return Object.hasOwn(STATUS, code) ? STATUS[code as HttpErrorCode] : STATUS.flow_failed;
}

/** What an error response may have beside its code and its message. */
export interface ErrorResponseOptions {
  /** The status of the code by default. */
  readonly status?: number | undefined;
  /** Each `{ path, message }` of data that is not valid. */
  readonly details?: readonly unknown[] | undefined;
  readonly ref?: string | undefined;
  /** Milliseconds until a request is served again; only with `rate_limited`. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error as callers see it: `{"error":{"code","message","details"?,"ref"?,"retry_after_ms"?}}`. */
export function errorResponse(
  code: string,
  message: string,
  { status = statusOf(code), details, ref, retryAfter, headers }: ErrorResponseOptions = {},
): Response {
  const error = { code, message, details, ref, retry_after_ms: retryAfter };
  return jsonResponse({ error }, status, headers);
}

/** The response to a request without a token. RFC 6750: it names no error. */
export function unauthorized(message: string): Response {
  return errorResponse("unauthorized", message, { headers: { "www-authenticate": "Bearer" } });
}

/** The response while no flow starts. It closes the connection, where a body may still arrive. */
export function unavailable(): Response {
  const headers = { "retry-after": "1", "connection": "close" };
  return errorResponse("unavailable", "the service is starting or shutting down", { headers });
}

/**
 * The response to the end of a flow: its `response`, else the result of the first destination, with
 * 201 where that created something; 204 without either. For a failure, what its `error_response` says.
 *
 * @throws {TypeError} The data has a cycle.
 */
export function endingResponse(ending: Ending): Response {
  const status = endingStatus(ending);
  if (ending instanceof FlowError) {
    const { code, message, details, ref, answer } = ending;
    const body = answer?.body;
    if (body !== undefined) return jsonResponse(body, status);
    return errorResponse(code, message, { status, details, ref });
  }
  const data = dataOf(ending);
  return data === undefined ? new Response(null, { status }) : jsonResponse(data, status);
}

/** The status of that response. */
export function endingStatus(ending: Ending): number {
  if (ending instanceof FlowError) {
    return ending.answer?.status ?? ending.status ?? statusOf(ending.code);
  }
  if (ending.created) return 201;
  return dataOf(ending) === undefined ? 204 : 200;
}

function dataOf({ response, result }: Outcome): unknown {
  return response === undefined ? result : response.data;
}

function jsonResponse(
  data: unknown,
  status: number,
  headers?: Readonly<Record<string, string>>,
): Response {
  return new Response(JSON.stringify(data, integersAsJson) ?? "null", {
    status,
    headers: { ...headers, "content-type": "application/json" },
  });
}
