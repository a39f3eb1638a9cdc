/** What a `to` or a `step` sends: its URL, headers and body. */
import { ConnectorError } from "../../base/errors.ts";
import { integersAsJson, isObject, setField } from "../../base/json.ts";
import { kindName, messageOf } from "../../base/shown.ts";
import { isTraceHeader, withTrace } from "../../base/trace-context.ts";
import type { WriteRequest } from "../../contract/connector.ts";
import type { Expression } from "../../expression/mod.ts";
import { whyNoName, whyNoValue } from "./header.ts";
import { isJson, mediaTypeOf } from "./media-type.ts";
import { type Operation, parseOperation, pathOf } from "./operation.ts";
import { type Body, type HttpRequestOptions, isExpression } from "./options.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A request as it is sent, apart from a token of OAuth. */
export interface Outgoing {
  readonly method: string;
  /** The operation as written, for errors. */
  readonly operation: string;
  readonly url: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Whether it may be sent again. */
  readonly repeatable: boolean;
  /** Whether the result has the status and the headers. */
  readonly full: boolean;
}

/** What all requests of a connector have in common. */
export interface Common {
  /** The connector's name. */
  readonly connector: string;
  /** The URL where paths begin, as written. */
  readonly base: URL;
  /** Headers of every request, by names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes requests of what flows ask. */
export class RequestMaker {
  readonly #common: Common;
  /** The origin and the path of `base_url`, without a slash at its end. */
  readonly #prefix: string;
  /** Operations by the options of their blocks, so that each is parsed once. */
  readonly #operations = new WeakMap<object, { text: string | undefined; parsed: Operation }>();

  /** `common` is what the configuration says of all requests. */
  constructor(common: Common) {
    this.#common = common;
    const { origin, pathname } = common.base;
    this.#prefix = origin + pathname.replace(/\/$/, "");
  }

  /**
   * Makes a request.
   *
   * @throws {ConnectorError} It cannot be sent, and never can.
   */
  make(request: WriteRequest): Outgoing {
    const { operation: text, payload, options, scope, target } = request;
    // The schema of options.ts made the options; a program that calls has none.
    const asked = options as Partial<HttpRequestOptions>;
    const operation = this.#operationOf(asked, text);
    const fail = (message: string): never => {
      throw new ConnectorError(this.#common.connector, `${operation.text} ${message}`, {
        permanent: true,
      });
    };
    if (target !== undefined) fail("takes no target: its operation has the path");
    const fields: Fields = isObject(payload) ? payload : {};
    const evaluate = (expressions: Readonly<Record<string, Expression>>): Fields => {
      const values: Record<string, unknown> = {};
      for (const name in expressions) setField(values, name, expressions[name].evaluate(scope));
      return values;
    };

    const hasOwnTrace = Object.keys(asked.headers ?? {}).some(isTraceHeader);
    const common = hasOwnTrace ? this.#common.headers : withTrace(this.#common.headers, request);
    let headers = asked.headers === undefined
      ? common
      : headersOf(common, evaluate(asked.headers), fail);
    const key = asked.idempotency_key?.evaluate(scope);
    if (asked.idempotency_key !== undefined) {
      const reason = key === "" ? "is empty" : whyNoValue(key);
      if (reason !== undefined) fail(`cannot be sent: its idempotency_key ${reason}`);
      headers = { ...headers, "idempotency-key": String(key) };
    }

    const query = asked.query !== undefined
      ? evaluate(asked.query)
      : operation.hasQuery && asked.body === undefined
      ? othersOf(operation, payload, fail)
      : undefined;
    const value = asked.body !== undefined
      ? evaluateBody(asked.body, evaluate, scope)
      : operation.hasQuery
      ? undefined
      : withoutParameters(operation, payload);
    // A payload that is null has no body.
    const hasBody = value !== undefined && (value !== null || asked.body !== undefined);
    if (hasBody) headers = { "content-type": "application/json", ...headers };
    return {
      method: operation.method,
      operation: operation.text,
      url: this.#urlOf(operation, fields, query, fail),
      headers,
      body: hasBody ? encodeBody(value, headers["content-type"], fail) : undefined,
      repeatable: operation.repeatable || key !== undefined,
      full: asked.response === "full",
    };
  }

  #operationOf(options: object, text: string | undefined): Operation {
    const known = this.#operations.get(options);
    if (known !== undefined && known.text === text) return known.parsed;
    const parsed = parseOperation(text);
    if ("code" in parsed) {
      throw new ConnectorError(this.#common.connector, parsed.message, { permanent: true });
    }
    this.#operations.set(options, { text, parsed });
    return parsed;
  }

  #urlOf(operation: Operation, fields: Fields, query: Fields | undefined, fail: Fail): string {
    const { base } = this.#common;
    try {
      const path = pathOf(operation, fields);
      const url = path === "" ? base.origin + base.pathname : `${this.#prefix}/${path}`;
      const search = query === undefined ? "" : encodeQuery(query);
      return search === "" ? url : `${url}?${search}`;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return fail(`cannot be sent: ${error.message}`);
    }
  }
}

type Fail = (message: string) => never;

/** The headers of one request, by names in lower case; one that is null is left out. */
function headersOf(
  common: Common["headers"],
  values: Fields,
  fail: Fail,
): Record<string, string> {
  const headers: Record<string, string> = { ...common };
  for (const [name, value] of Object.entries(values)) {
    const lower = name.toLowerCase();
    if (value === null) {
      delete headers[lower];
      continue;
    }
    const reason = whyNoName(name) ?? whyNoValue(value);
    if (reason !== undefined) fail(`cannot be sent: its header "${name}" ${reason}`);
    headers[lower] = String(value);
  }
  return headers;
}

/** The fields of a payload that are not in the path: the query. */
function othersOf(operation: Operation, payload: unknown, fail: Fail): Fields | undefined {
  if (payload === null || payload === undefined) return undefined;
  if (!isObject(payload)) {
    return fail(
      `cannot be sent: its payload is ${kindName(payload)}, which has no fields for a query`,
    );
  }
  return withoutParameters(operation, payload) as Fields;
}

/** The payload without the fields that are in the path. */
function withoutParameters({ parameters }: Operation, payload: unknown): unknown {
  if (parameters.length === 0 || !isObject(payload)) return payload;
  const others: Record<string, unknown> = {};
  for (const name of Object.keys(payload)) {
    if (!parameters.includes(name)) setField(others, name, payload[name]);
  }
  return others;
}

function evaluateBody(
  body: Body,
  evaluate: (expressions: Readonly<Record<string, Expression>>) => Fields,
  scope: WriteRequest["scope"],
): unknown {
  return isExpression(body) ? body.evaluate(scope) : evaluate(body);
}

/**
 * A query or the body of a form. A list repeats its name, what is null is left out.
 *
 * @throws {TypeError} A value is an object, or not valid Unicode.
 */
export function encodeQuery(fields: Fields): string {
  let query = "";
  for (const name in fields) {
    const value = fields[name];
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === null || item === undefined) continue;
      if (typeof item === "object") {
        throw new TypeError(`"${name}" is ${kindName(item)}, which a query cannot have`);
      }
      query += `${query === "" ? "" : "&"}${encoded(name)}=${encoded(String(item))}`;
    }
  }
  return query;
}

function encoded(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("a field is not valid Unicode");
  return encodeURIComponent(text);
}

function encodeBody(value: unknown, contentType: string, fail: Fail): string {
  const { type } = mediaTypeOf(contentType);
  if (type === "application/x-www-form-urlencoded" && isObject(value)) {
    try {
      return encodeQuery(value);
    } catch (error) {
      return fail(`cannot be sent: ${messageOf(error)}`);
    }
  }
  if (!isJson(type)) {
    if (typeof value === "string") return value;
    return fail(`cannot be sent: its body is ${kindName(value)}, and ${type} is text`);
  }
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    // Perhaps it has a BigInt, which plain JSON does not know.
    try {
      return JSON.stringify(value, integersAsJson);
    } catch (error) {
      return fail(`cannot be sent: its body is not JSON: ${messageOf(error)}`);
    }
  }
}
