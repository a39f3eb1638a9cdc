/** The operation of a flow whose source is a `rest` connector: `METHOD /path/:parameter`. */
import type { CodedProblem } from "../../contract/definition.ts";
import { didYouMean } from "../../base/nearest.ts";

/** The methods that a flow can name. GET answers HEAD too; OPTIONS is answered for every path. */
export const METHODS: readonly string[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Tells a parameter from one of the same name in the path of a mount. */
const PREFIX = "weir_";

/** The requests that a flow takes. */
export interface Operation {
  /** One of `METHODS`. */
  readonly method: string;
  /** As written. */
  readonly path: string;
  /** The names of its parameters. */
  readonly parameters: readonly string[];
  /** The path with every parameter as `:`. Operations of one shape take the same requests. */
  readonly shape: string;
}

const EXAMPLE = 'write it as "METHOD /path", such as "POST /rooms/:room/notify"';
const LITERAL = /^[\p{L}\p{N}._~-]+$/u;
const PARAMETER = /^:([A-Za-z][A-Za-z0-9_]*)$/;

/** Parses an operation; returns what is wrong where it is not one. */
export function parseOperation(text: string | undefined): Operation | CodedProblem {
  if (text === undefined) {
    return { code: "missing-operation", message: "needs an operation", hint: EXAMPLE };
  }
  const problem = (message: string, hint: string | undefined): CodedProblem => ({
    code: "invalid-operation",
    attribute: "operation",
    message: `cannot take "${text}": ${message}`,
    ...(hint === undefined ? {} : { hint }),
  });

  const [, method, path] = /^(\S+)\s+(\S+)$/.exec(text) ?? [];
  if (method === undefined) {
    const hint = /^\/\S*$/.test(text) ? `write "POST ${text}", or another method` : EXAMPLE;
    return problem("it is not a method and a path", hint);
  }
  if (!METHODS.includes(method)) {
    return problem(`it cannot serve the method "${method}"`, methodHint(method));
  }
  if (!path.startsWith("/")) return problem('its path must start with "/"', EXAMPLE);

  const segments = path.slice(1).split("/");
  // A path that ends in "/" has an empty last segment.
  const named = segments.at(-1) === "" ? segments.slice(0, -1) : segments;
  const parameters: string[] = [];
  for (const segment of named) {
    const name = PARAMETER.exec(segment)?.[1];
    if (name !== undefined) {
      if (parameters.includes(name)) {
        return problem(`it has two parameters ":${name}"`, "give them different names");
      }
      parameters.push(name);
    } else if (!LITERAL.test(segment) || segment === "." || segment === "..") {
      return problem(`its path cannot have the part "${segment}"`, segmentHint(segment));
    }
  }
  const shape = path.replace(/:[^/]+/g, ":");
  return { method, path, parameters, shape };
}

/**
 * Orders operations so that where two take the same request, the one whose path is literal earlier
 * comes first: `/rooms/new` before `/rooms/:room`.
 */
export function byPrecision(a: Operation, b: Operation): number {
  const [first, second] = [a, b].map(({ shape }) => shape.replace(/[^/:]+/g, "!"));
  return first < second ? -1 : first > second ? 1 : 0;
}

/** The path as Hono takes it. */
export function honoPath({ path }: Operation): string {
  return path.replaceAll("/:", `/:${PREFIX}`);
}

/** The name of a parameter in `honoPath`. */
export function honoParameter(name: string): string {
  return PREFIX + name;
}

function methodHint(method: string): string | undefined {
  if (method === "HEAD") return "GET answers HEAD too";
  if (method === "OPTIONS") return "OPTIONS is answered for every path";
  return didYouMean(method, METHODS) ?? `it serves ${METHODS.join(", ")}`;
}

function segmentHint(segment: string): string {
  const name = /^:?\{?([A-Za-z][A-Za-z0-9_]*)/.exec(segment)?.[1];
  if (segment.includes("*")) return "there are no wildcards: name each part, such as :id";
  if (/^[^{?]*\?.*=/.test(segment)) return "leave the query out: input has its parameters";
  if (name !== undefined && segment.startsWith(":") && segment.endsWith("?")) {
    return "no parameter is optional: write one flow for each path";
  }
  if (name !== undefined && /^:?[^{}]*\{.*\}$/.test(segment)) {
    return `write it as :${name}, and check its form in the filter`;
  }
  if (segment.startsWith(":")) return "a parameter's name is letters, digits and _, such as :id";
  return "a part is letters, digits and - . _ ~, or a parameter such as :id";
}
