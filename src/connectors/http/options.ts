/** The attributes of an `http` connector and of the `to` and `step` blocks that name one. */
import { expression, expressionMap } from "../../contract/expression-fields.ts";
import { attribute, block, type Field, type Fields, type Values } from "../../contract/fields.ts";
import { Places } from "../../contract/places.ts";
import { clientTlsField } from "../../contract/tls-field.ts";
import { duration, integer, oneOf, size, text } from "../../contract/value-schema.ts";
import type { Expression } from "../../expression/mod.ts";

const basic = {
  user: attribute(text(), { about: "The user's name.", required: true }),
  password: attribute(text(), { about: "The user's password.", required: true }),
};

const header = {
  name: attribute(text(), { about: "The name of the header, such as X-Api-Key.", required: true }),
  value: attribute(text(), { about: "Its value.", required: true }),
};

const oauth2 = {
  token_url: attribute(text(), { about: "Where a token is asked for.", required: true }),
  client_id: attribute(text(), { about: "The client's id.", required: true }),
  client_secret: attribute(text(), { about: "The client's secret.", required: true }),
  scope: attribute(text(), { about: "What the token is for, words with spaces between them." }),
};

const auth = {
  bearer: attribute(text(), { about: "A token that is sent as it is." }),
  basic: block(basic, { about: "A user and a password." }),
  header: block(header, { about: "A header with a key of the API." }),
  oauth2: block(oauth2, {
    about: "A token of OAuth 2.0 client credentials, which is kept, and renewed before it expires.",
  }),
};

const retry = {
  attempts: attribute(integer({ min: 1, max: 100 }), {
    about: "How often a request is sent in all.",
    default: 3,
  }),
  delay: attribute(duration({ max: 600_000 }), {
    about: "The time before the second attempt.",
    default: "1s",
  }),
  backoff: attribute(oneOf(["constant", "linear", "exponential"]), {
    about: "How the time grows, up to 30 s: not, by `delay` each time, or by doubling.",
    default: "exponential",
  }),
};

/** The attributes of a `connector` block. */
export const fields = {
  base_url: attribute(text(), {
    about: "Where the paths of operations begin, such as https://api.example.com/v1.",
    required: true,
  }),
  headers: expressionMap({ about: "Headers of every request. They can use constants alone." }),
  auth: block(auth, { about: "How requests are authorized: exactly one of the four ways." }),
  timeout: attribute(duration(), {
    about: "How long an attempt may take, from the wait for a connection to the end of the body.",
    default: "10s",
  }),
  retry: block(retry, {
    about:
      "Sends a request again after a connection that failed and after the statuses 408, 429 and 5xx.",
  }),
  max_connections: attribute(integer({ min: 1, max: 1000 }), {
    about: "How many requests a process sends at once; others wait.",
    default: 50,
  }),
  max_response_size: attribute(size(), {
    about: "The largest body of a response, decompressed.",
    default: "1MB",
  }),
  // A block alone: the URL says whether the connection is encrypted.
  tls: {
    ...clientTlsField(),
    kind: "block",
    type: "block",
    about: "Whom an https connection trusts, and what it shows; what the runtime has by default.",
  },
} satisfies Fields;

/** The values of a `connector` block. */
export type HttpOptions = Values<typeof fields>;

/** The values of an `auth` block. */
export type HttpAuth = NonNullable<HttpOptions["auth"]>;

/** The values of an `oauth2` block. */
export type OAuth2Options = NonNullable<HttpAuth["oauth2"]>;

/** The attributes of a `to` or `step` block beside its operation. */
export const requestFields = {
  query: expressionMap({
    about: "The query, by name; the fields of the payload by default for GET, HEAD and DELETE.",
  }),
  headers: expressionMap({ about: "Headers of this request. One that is null is left out." }),
  body: bodyField(
    "The body, an expression or an object of expressions; the fields of the payload by default " +
      "for POST, PUT and PATCH.",
  ),
  idempotency_key: expression({
    about:
      "What the header Idempotency-Key says, by which an API knows a request that comes again.",
  }),
  response: attribute(oneOf(["body", "full"]), {
    about: "The result: the parsed body, or an object with status, headers and body.",
    default: "body",
  }),
} satisfies Fields;

/** The attributes of a `to` or `step` block beside its operation. */
export type HttpRequestOptions = Values<typeof requestFields>;

/** A body is one expression, or one for each of its fields. */
export type Body = Expression | Readonly<Record<string, Expression>>;

function bodyField(about: string): Field<Body | undefined> {
  const whole = expression({ about });
  const fields = expressionMap({ about });
  return {
    ...whole,
    type: "expression or object of expressions",
    read(body, name, owner, context) {
      const value: unknown = new Places(body, owner).attribute(name)?.value;
      const field = typeof value === "object" && value !== null ? fields : whole;
      return field.read(body, name, owner, context);
    },
  };
}

/** Whether a body is one expression. */
export function isExpression(body: Body): body is Expression {
  return typeof body.evaluate === "function";
}
