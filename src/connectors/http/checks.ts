/** Checks of `connector`, `to` and `step` blocks that concern several attributes. */
import type { CodedProblem, Destination } from "../../contract/definition.ts";
import { didYouMean } from "../../base/nearest.ts";
import { quoted } from "../../base/shown.ts";
import { authHeader } from "./auth.ts";
import { whyNoName, whyNoValue } from "./header.ts";
import { type Operation, parseOperation } from "./operation.ts";
import type { HttpAuth, HttpOptions, HttpRequestOptions } from "./options.ts";

/** The ways of an `auth` block. */
const WAYS = ["bearer", "basic", "header", "oauth2"] as const;

/** Checks a `connector` block whose attributes are good one by one. */
export function checkConnector({ base_url, auth, headers = {}, tls }: HttpOptions): CodedProblem[] {
  const problems = checkUrl(base_url, "base_url", "base_url");
  if (tls !== undefined && problems.length === 0 && !/^https:/i.test(base_url)) {
    const message = "takes no tls with a base_url of http";
    const hint = "write https://";
    problems.push({ code: "unused-attribute", attribute: "tls", message, hint });
  }
  for (const name of Object.keys(headers)) problems.push(...checkName(name, auth));
  if (auth === undefined) return problems;
  const given = WAYS.filter((way) => auth[way] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? "none" : given.join(" and ");
    return [...problems, {
      code: given.length === 0 ? "missing-attribute" : "conflicting-attributes",
      attribute: "auth",
      message: `has ${found} in its auth`,
      hint: `write one of ${WAYS.join(", ")}`,
    }];
  }
  return [...problems, ...checkAuth(auth)];
}

function checkAuth(auth: HttpAuth): CodedProblem[] {
  const { bearer, basic, header, oauth2 } = auth;
  const [way = ""] = WAYS.filter((way) => auth[way] !== undefined);
  const wrong = (message: string, name: string): CodedProblem => ({
    code: "invalid-value",
    attribute: `auth.${way}${name === way ? "" : `.${name}`}`,
    message,
  });
  const texts = { bearer, ...basic, ...header, ...oauth2 };
  const empty = Object.entries(texts).filter(([, text]) => text === "");
  if (empty.length > 0) {
    return empty.map(([name]) => wrong(`has an empty ${name} in its auth`, name));
  }
  if (oauth2 !== undefined) return checkUrl(oauth2.token_url, "auth.oauth2.token_url", "token_url");
  // The text itself is not shown: it is a secret.
  const reason = header && whyNoName(header.name);
  if (header !== undefined && reason !== undefined) {
    return [wrong(`has the header ${quoted(header.name)} in its auth, which ${reason}`, "name")];
  }
  if (basic?.user.includes(":")) return [wrong('has a ":" in the user of its auth', "user")];
  const [, value] = authHeader(auth);
  const unsendable = whyNoValue(value);
  if (unsendable === undefined) return [];
  const name = header === undefined ? way : "value";
  return [wrong(`has a value in its auth that ${unsendable}`, name)];
}

/** The text is not shown: a password may be in it. */
function checkUrl(text: string, attribute: string, name: string): CodedProblem[] {
  const wrong = (message: string, hint: string): CodedProblem[] => [
    { code: "invalid-url", attribute, message, hint },
  ];
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const isHost = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/[\w./-]*)?$/.test(text);
    const hint = isHost ? `write "https://${text}"` : "it is like https://api.example.com/v1";
    return wrong(`has a ${name} that is not an HTTP URL`, hint);
  }
  if (url.username !== "" || url.password !== "") {
    return wrong(`has a user or a password in its ${name}`, "write them in auth { basic { … } }");
  }
  if (url.hash !== "") return wrong(`has a # in its ${name}`, "leave it out");
  if (name === "base_url" && url.search !== "") {
    return wrong("has a query in its base_url", "a `to` or a `step` has its own query");
  }
  return [];
}

function checkName(name: string, auth: HttpAuth | undefined): CodedProblem[] {
  const wrong = (message: string): CodedProblem => ({
    code: "invalid-value",
    attribute: "headers",
    message,
  });
  const reason = whyNoName(name);
  if (reason !== undefined) return [wrong(`has the header ${quoted(name)}, which ${reason}`)];
  if (auth === undefined || authHeader(auth)[0] !== name.toLowerCase()) return [];
  return [{
    code: "conflicting-attributes",
    attribute: "headers",
    message: `has the header ${quoted(name)}, which is that of the connector's auth`,
    hint: "leave one of them out",
  }];
}

/** Checks a `to` or `step` block. What could not be read of the connector is undefined. */
export function checkRequest(
  { operation: text, target, params, sent, options }: Destination<HttpRequestOptions>,
  { auth }: Partial<HttpOptions>,
): CodedProblem[] {
  const problems: CodedProblem[] = [];
  if (target !== undefined) {
    const hint = "its operation has the path, as in GET /orders/:id";
    const message = "takes no target";
    problems.push({ code: "unused-attribute", attribute: "target", message, hint });
  }
  const { headers = {}, body, idempotency_key: key } = options;
  for (const name of Object.keys(headers)) problems.push(...checkName(name, auth));
  if (key !== undefined && Object.keys(headers).some(isIdempotencyKey)) {
    const message = "has both an idempotency_key and the header Idempotency-Key";
    const hint = "leave the header out";
    problems.push({ code: "conflicting-attributes", attribute: "idempotency_key", message, hint });
  }
  const operation = parseOperation(text);
  if ("code" in operation) return [...problems, operation];
  if (body !== undefined && ["GET", "HEAD"].includes(operation.method)) {
    const message = `takes no body: a ${operation.method} request has none`;
    problems.push({ code: "unused-attribute", attribute: "body", message });
  }
  const names = params === undefined ? sent : Object.keys(params);
  return names === undefined ? problems : [...problems, ...checkParameters(operation, names)];
}

function isIdempotencyKey(name: string): boolean {
  return name.toLowerCase() === "idempotency-key";
}

/** The names in a path must be among those that a step sends. */
function checkParameters(
  { parameters, text }: Operation,
  names: readonly string[],
): CodedProblem[] {
  return parameters.filter((name) => !names.includes(name)).map((name) => {
    const hint = didYouMean(name, names) ??
      (names.length === 0 ? undefined : `it sends ${names.join(", ")}`);
    return {
      code: "missing-parameter",
      attribute: "operation",
      message: `does not send :${name}, which "${text}" needs`,
      ...(hint === undefined ? {} : { hint }),
    };
  });
}
