/** The operation of a request: `METHOD /path/:name`, and the path that a payload makes of it. */
import type { CodedProblem } from "../../contract/definition.ts";
import { didYouMean } from "../../base/nearest.ts";
import { kindName } from "../../base/shown.ts";

/** The methods of requests. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** The methods whose fields are the query, not the body. */
const WITH_QUERY: readonly string[] = ["GET", "HEAD", "DELETE"];

/** Methods that mean the same when they are sent twice. */
const REPEATABLE: readonly string[] = ["GET", "HEAD", "PUT", "DELETE"];

const EXAMPLE = 'write it as "METHOD /path", such as "POST /orders/:id"';
const LITERAL =
  /^(?:[\p{L}\p{N}._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})(?:[\p{L}\p{N}._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$/u;
const PARAMETER = /^:([A-Za-z_][A-Za-z0-9_]*)$/;
/** What a server or a URL reads as this folder or the one above. */
const DOTS = /^(?:\.|%2e){1,2}$/i;

/** One request of an API. */
export interface Operation {
  /** One of `METHODS`. */
  readonly method: string;
  /** As written, for errors: it has no values, and so no secrets. */
  readonly text: string;
  /** Texts between slashes that are sent as they are, and the names of parameters. */
  readonly segments: readonly (string | { readonly parameter: string })[];
  /** The names of its parameters. */
  readonly parameters: readonly string[];
  /** Whether the fields of the payload are its query. */
  readonly hasQuery: boolean;
  /** Whether it may be sent twice. */
  readonly repeatable: boolean;
}

/** Parses an operation; returns what is wrong where it is not one. */
export function parseOperation(text: string | undefined): Operation | CodedProblem {
  if (text === undefined) {
    return { code: "missing-operation", message: "needs an operation", hint: EXAMPLE };
  }
  const problem = (message: string, hint: string = EXAMPLE): CodedProblem => ({
    code: "invalid-operation",
    attribute: "operation",
    message: `cannot send "${text}": ${message}`,
    hint,
  });
  const [method, path, ...more] = text.trim().split(/\s+/);
  if (path === undefined || more.length > 0) return problem("it is not a method and a path");
  if (!METHODS.includes(method)) {
    const hint = didYouMean(method, METHODS) ?? `one of ${METHODS.join(", ")}`;
    return problem(`it has no method "${method}"`, hint);
  }
  if (!path.startsWith("/")) return problem('its path must start with "/"');

  const segments: Operation["segments"][number][] = [];
  const parameters: string[] = [];
  const parts = path.slice(1).split("/");
  for (const [index, part] of parts.entries()) {
    const parameter = PARAMETER.exec(part)?.[1];
    if (parameter !== undefined) {
      if (parameters.includes(parameter)) {
        return problem(`it has two parameters ":${parameter}"`, "give them different names");
      }
      parameters.push(parameter);
      segments.push({ parameter });
    } else if (part === "" && index === parts.length - 1) {
      segments.push("");
    } else if (!LITERAL.test(part) || DOTS.test(part)) {
      return problem(`its path cannot have the part "${part}"`, partHint(part));
    } else segments.push(encodeURI(part).replaceAll(/%25(?=[0-9A-Fa-f]{2})/g, "%"));
  }
  const isRepeatable = REPEATABLE.includes(method);
  const hasQuery = WITH_QUERY.includes(method);
  return {
    method,
    text: `${method} ${path}`,
    segments,
    parameters,
    hasQuery,
    repeatable: isRepeatable,
  };
}

/** Why a value cannot be a part of a path; undefined where it can. */
function whyNoPart(value: unknown): string | undefined {
  if (!["string", "number", "boolean", "bigint"].includes(typeof value)) return kindName(value);
  const text = String(value);
  if (text === "") return "empty";
  if (text === "." || text === "..") return `"${text}"`;
  return text.isWellFormed() ? undefined : "text that is not valid Unicode";
}

/**
 * The path of a request, without the slash at its start. It stays below the place where it begins.
 *
 * @throws {TypeError} A value cannot be a part of a path. The message begins with its name.
 */
export function pathOf(
  { segments }: Operation,
  fields: Readonly<Record<string, unknown>>,
): string {
  return segments.map((segment) => {
    if (typeof segment === "string") return segment;
    const { parameter } = segment;
    const value = Object.hasOwn(fields, parameter) ? fields[parameter] : undefined;
    const reason = whyNoPart(value);
    if (reason !== undefined) throw new TypeError(`:${parameter} is ${reason}`);
    return typeof value === "number" ? String(value) : encodeURIComponent(String(value));
  }).join("/");
}

function partHint(part: string): string {
  if (DOTS.test(part)) return "a path cannot leave base_url";
  if (part.includes("?")) return 'leave the query out: it is in the payload, or in "query"';
  if (part.startsWith(":")) return "a parameter's name is letters, digits and _, such as :id";
  if (part === "") return "leave one of the slashes out";
  return "a part is letters, digits and - . _ ~, or a parameter such as :id";
}
