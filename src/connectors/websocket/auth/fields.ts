/** The `auth` block of a `websocket` connector. */
import * as v from "valibot";
import type { CodedProblem } from "../../../contract/definition.ts";
import { compileExpression } from "../../../expression/mod.ts";
import { expression } from "../../../contract/expression-fields.ts";
import {
  attribute,
  block,
  type Field,
  type Fields,
  required,
  type Values,
} from "../../../contract/fields.ts";
import { duration, flag, type ValueSchema, valueSchema } from "../../../contract/value-schema.ts";
import type { AllowedOrigins } from "../origins.ts";
import { publicKey } from "./public-key.ts";
import { type TokenSource, tokenSources } from "./token.ts";

/** RFC 7518: an HMAC key is at least as long as its hash. */
const MIN_SECRET_BYTES = 32;
/** More would make the expiry of a token meaningless; in milliseconds. */
const MAX_LEEWAY = 10 * 60_000;

/** The attributes of which a `jwt` block has exactly one. */
const KEYS = ["secret", "public_key", "jwks_url"] as const;

/** Where a token is looked for by default. A cookie is not among them: it needs `origins`. */
const DEFAULT_FROM = ["query:token", "header:authorization", "protocol"];
const DEFAULT_SOURCES: readonly TokenSource[] = [
  { kind: "query", name: "token" },
  { kind: "header", name: "authorization" },
  { kind: "protocol" },
];

const jwtFields = {
  secret: attribute(secret(), { about: "The shared secret of HS256, HS384 and HS512." }),
  public_key: attribute(publicKey(), {
    about: "The issuer's public key in PEM: RSA, EC or Ed25519. Its kind decides the algorithms.",
  }),
  jwks_url: attribute(jwksUrl(), {
    about: "Where the issuer publishes its public keys (a JSON Web Key Set); fetched on demand.",
  }),
  issuer: attribute(textOrList(), { about: "What `iss` must be, or a list of what it may be." }),
  audience: attribute(textOrList(), { about: "What `aud` must name, or a list of which one." }),
  leeway: attribute(duration({ min: 0, max: MAX_LEEWAY }), {
    about: "How far the issuer's clock may be off: a token is taken so much earlier and later.",
    default: "0s",
  }),
  user: orDefault(
    expression({
      about: "Who the client is, of the token's `claims`: text or a number.",
      variables: ["claims"],
    }),
    "claims.sub",
    compileExpression("claims.sub", ["claims"]),
  ),
} satisfies Fields;

const authFields = {
  jwt: required(oneKey(block(jwtFields, { about: "What makes a token good." }))),
  from: orDefault(
    attribute(tokenSources(), {
      about: "Where a token is looked for, in this order: `query:NAME`, `header:NAME` " +
        "(`header:authorization` is `Bearer TOKEN`), `cookie:NAME`, `protocol` (a subprotocol).",
    }),
    DEFAULT_FROM,
    DEFAULT_SOURCES,
  ),
  required: attribute(flag(), {
    about: "Refuses clients without a token; false lets them in without identity.",
    default: true,
  }),
} satisfies Fields;

/** The `auth` block: who may connect, and as whom. */
export const authField: Field<AuthOptions | undefined> = block(authFields, {
  about: "Lets in clients with a good JSON Web Token, and says who they are.",
});

/** What an `auth` block says. */
export type AuthOptions = Values<typeof authFields>;

/** What a `jwt` block says. */
export type JwtOptions = AuthOptions["jwt"];

/** The same options for tests, where no token is good: nothing is fetched, and no secret needed. */
export function withoutKeys({ jwt, ...auth }: AuthOptions): AuthOptions {
  return {
    ...auth,
    jwt: { ...jwt, secret: undefined, public_key: undefined, jwks_url: undefined },
  };
}

/** What an `auth` block and the connector's `origins` say together. */
export function checkAuth(
  auth: AuthOptions | undefined,
  origins: AllowedOrigins | undefined,
): readonly CodedProblem[] {
  if (auth === undefined) return [];
  const complaints: CodedProblem[] = [];
  if (origins === undefined && auth.from.some(({ kind }) => kind === "cookie")) {
    complaints.push({
      code: "missing-origins",
      attribute: "auth",
      message: "reads a cookie and needs origins",
      hint: "else a page of any site connects as its visitor: name the origins of your own pages",
    });
  }
  if (auth.jwt.jwks_url !== undefined && auth.jwt.audience === undefined) {
    complaints.push({
      code: "unchecked-audience",
      attribute: "auth",
      message: "takes tokens that its issuer made for any other service",
      hint: "audience in the jwt block says which are for this one",
      severity: "warning",
    });
  }
  return complaints;
}

/** The same field with a default that is no plain value; `written` is how it stands in a file. */
function orDefault<T>(field: Field<T | undefined>, written: unknown, value: T): Field<T> {
  return {
    ...field,
    default: JSON.stringify(written),
    read: (...place) => field.read(...place) ?? value,
  };
}

/** The same block, but with exactly one kind of key. */
function oneKey<T>(field: Field<T>): Field<T> {
  return {
    ...field,
    read(body, name, owner, context) {
      const value = field.read(body, name, owner, context);
      const found = body.blocks.find(({ type }) => type === name);
      if (found === undefined) return value;
      const subject = `${context.subject}, ${name}`;
      const written = found.body.attributes.filter((a) => KEYS.some((key) => key === a.name));
      if (written.length === 0) {
        const hint = `one of ${KEYS.join(", ")}`;
        const message = `${subject} needs a key`;
        context.report({ code: "missing-key", span: found.headerSpan, message, hint });
      }
      for (const { name: second, nameSpan } of written.slice(1)) {
        const message = `${subject} has a ${written[0].name} and a ${second}`;
        const hint = "one kind of key is enough";
        context.report({ code: "conflicting-attributes", span: nameSpan, message, hint });
      }
      return value;
    },
  };
}

/** An HMAC key. The text is never part of a problem. */
function secret(): ValueSchema<string> {
  const size = (value: string) => new TextEncoder().encode(value).length;
  const short = `must have at least ${MIN_SECRET_BYTES} bytes`;
  return valueSchema(
    "text",
    v.pipe(
      v.string("must be text in quotes"),
      v.check(
        (value) => !/^\s*-----BEGIN /.test(value),
        "is a key in PEM, not a shared secret\nwrite the public one as public_key",
      ),
      v.check(
        (value) => size(value) >= MIN_SECRET_BYTES,
        `${short}\nRFC 7518 asks for it; openssl rand -base64 32 makes one`,
      ),
    ),
  );
}

function jwksUrl(): ValueSchema<URL> {
  return valueSchema(
    "URL",
    v.pipe(
      v.string("must be text in quotes"),
      v.check((value) => URL.canParse(value), "must be a URL"),
      v.transform((value) => new URL(value)),
      v.check(
        ({ protocol, hostname }) =>
          protocol === "https:" ||
          protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname),
        "must be an https URL\nwhoever can change the keys on their way can make tokens",
      ),
      v.check(
        ({ username, password }) => username === "" && password === "",
        "must have no user and password",
      ),
    ),
  );
}

/** Text, or a list of texts; gives the list. */
function textOrList(): ValueSchema<readonly string[]> {
  const message = "must be text in quotes, or a list of texts";
  const word = v.pipe(v.string(message), v.nonEmpty("must not be empty"));
  return valueSchema(
    "text or list",
    v.pipe(
      v.unknown(),
      v.transform((value) => typeof value === "string" ? [value] : value),
      v.array(word, message),
      v.nonEmpty("must not be empty"),
    ),
  );
}
