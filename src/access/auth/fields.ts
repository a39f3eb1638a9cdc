/** The `auth` block of a connector. */
import * as v from "valibot";
import type { CodedProblem } from "../../contract/definition.ts";
import { compileExpression } from "../../expression/mod.ts";
import { expression } from "../../contract/expression-fields.ts";
import {
  attribute,
  block,
  type Field,
  type Fields,
  required,
  type Values,
} from "../../contract/fields.ts";
import { type Places, placesOf } from "../../contract/places.ts";
import {
  duration,
  flag,
  textOrList,
  type ValueSchema,
  valueSchema,
} from "../../contract/value-schema.ts";
import type { AllowedOrigins } from "../origins.ts";
import { publicKey } from "./public-key.ts";
import { type TokenKind, tokenSources } from "./token.ts";

/** RFC 7518: an HMAC key is at least as long as its hash. */
const MIN_SECRET_BYTES = 32;
/** In milliseconds. A larger leeway would make the expiry of a token meaningless. */
const MAX_LEEWAY = 10 * 60_000;

/** A `jwt` block has exactly one of these. */
const KEYS = ["secret", "public_key", "jwks_url"] as const;

/** Where the clients of a kind of connector may have a token. */
interface AuthPlaces {
  /** Describes the block. */
  readonly about: string;
  /** Describes `from`. */
  readonly places: string;
  readonly kinds: readonly TokenKind[];
  /** The default of `from`. It has no cookie, because a cookie needs `origins`. */
  readonly from: readonly string[];
}

const PLACES = "`query:NAME`, `header:NAME` (`header:authorization` is `Bearer TOKEN`), " +
  "`cookie:NAME`";

const jwtFields = {
  secret: attribute(secret(), { about: "The shared secret of HS256, HS384 and HS512." }),
  public_key: attribute(publicKey(), {
    about:
      "The issuer's public key in PEM: RSA, EC or Ed25519. Its kind determines the algorithms.",
  }),
  jwks_url: attribute(jwksUrl(), {
    about: "The URL of the issuer's public keys (a JSON Web Key Set); fetched on demand.",
  }),
  issuer: attribute(textOrList(), { about: "The required `iss`, or a list of allowed ones." }),
  audience: attribute(textOrList(), { about: "The required `aud`, or a list of allowed ones." }),
  leeway: attribute(duration({ min: 0, max: MAX_LEEWAY }), {
    about: "How far the issuer's clock may be off: a token is valid that much earlier and later.",
    default: "0s",
  }),
  user: orDefault(
    expression({
      about: "The user, from the `claims` of the token: text or a number.",
      variables: ["claims"],
    }),
    "claims.sub",
    compileExpression("claims.sub", ["claims"]),
  ),
} satisfies Fields;

function authFields({ places, kinds, from }: AuthPlaces) {
  const sources = tokenSources(kinds);
  const known = sources.parse(from);
  return {
    jwt: required(oneKey(block(jwtFields, { about: "How tokens are verified." }))),
    from: orDefault(
      attribute(sources, { about: `Where to look for a token, in this order: ${places}.` }),
      from,
      "value" in known ? known.value : [],
    ),
    required: attribute(flag(), {
      about: "Refuses clients without a token; false lets them in without a user.",
      default: true,
    }),
  } satisfies Fields;
}

/** The options of an `auth` block. */
export type AuthOptions = Values<ReturnType<typeof authFields>>;

/** The `auth` block of WebSockets: which clients may connect, and as which user. */
export const authField: Field<AuthOptions | undefined> = authBlock({
  about: "Only lets in clients with a valid JSON Web Token, which names their user.",
  places: `${PLACES}, \`protocol\` (a subprotocol)`,
  kinds: ["query", "header", "cookie", "protocol"],
  from: ["query:token", "header:authorization", "protocol"],
});

/** The `auth` block of requests: who may send them, and as which user. */
export const requestAuthField: Field<AuthOptions | undefined> = authBlock({
  about: "Only serves requests with a valid JSON Web Token, which names their user.",
  places: PLACES,
  kinds: ["query", "header", "cookie"],
  from: ["header:authorization"],
});

function authBlock(places: AuthPlaces): Field<AuthOptions | undefined> {
  return block(authFields(places), places);
}

/** The options of a `jwt` block. */
export type JwtOptions = AuthOptions["jwt"];

/** The same options for `weir test`: no token is valid, nothing is fetched and no secret is needed. */
export function withoutKeys({ jwt, ...auth }: AuthOptions): AuthOptions {
  return {
    ...auth,
    jwt: { ...jwt, secret: undefined, public_key: undefined, jwks_url: undefined },
  };
}

/** Whether a token may be in a cookie, which a browser sends whatever page asks it to. */
export function readsCookie({ from }: AuthOptions): boolean {
  return from.some(({ kind }) => kind === "cookie");
}

/** Checks an `auth` block together with the connector's `origins`. `act` is what pages do. */
export function checkAuth(
  auth: AuthOptions | undefined,
  origins: AllowedOrigins | undefined,
  act: "connect" | "send requests" = "connect",
): readonly CodedProblem[] {
  if (auth === undefined) return [];
  const problems: CodedProblem[] = [];
  if (origins === undefined && readsCookie(auth)) {
    problems.push({
      code: "missing-origins",
      attribute: "auth",
      message: "reads a token from a cookie without origins",
      hint: `any page could ${act} as its visitor: list the origins of your own pages`,
    });
  }
  if (auth.jwt.jwks_url !== undefined && auth.jwt.audience === undefined) {
    problems.push({
      code: "unchecked-audience",
      attribute: "auth",
      message: "accepts tokens that the issuer made for other services",
      hint: "set audience in the jwt block",
      severity: "warning",
    });
  }
  return problems;
}

/** The same field with a default that is not a plain value; `written` is its form in a file. */
function orDefault<T>(field: Field<T | undefined>, written: unknown, value: T): Field<T> {
  return {
    ...field,
    default: JSON.stringify(written),
    read: (...place) => field.read(...place) ?? value,
  };
}

/** The same block with exactly one kind of key. */
function oneKey<T>(field: Field<T>): Field<T> {
  return {
    ...field,
    read(body, name, owner, context) {
      const value = field.read(body, name, owner, context);
      if (value === undefined) return value;
      const places: Places = placesOf(value as object);
      const subject = `${context.subject}, ${name}`;
      const written = places.attributes.filter((a) => KEYS.some((key) => key === a));
      if (written.length === 0) {
        const hint = `one of ${KEYS.join(", ")}`;
        const message = `${subject} needs a key`;
        context.report({ code: "missing-key", span: places.header, message, hint });
      }
      for (const second of written.slice(1)) {
        const message = `${subject} has both ${written[0]} and ${second}`;
        const span = places.nameOf(second);
        const hint = "keep one of them";
        context.report({ code: "conflicting-attributes", span, message, hint });
      }
      return value;
    },
  };
}

/** An HMAC key. Problems never contain its text. */
function secret(): ValueSchema<string> {
  const size = (value: string) => new TextEncoder().encode(value).length;
  const short = `must have at least ${MIN_SECRET_BYTES} bytes`;
  return valueSchema(
    "text",
    v.pipe(
      v.string("must be text in quotes"),
      v.check(
        (value) => !/^\s*-----BEGIN /.test(value),
        "is a key in PEM, not a shared secret\nset public_key to the public key instead",
      ),
      v.check(
        (value) => size(value) >= MIN_SECRET_BYTES,
        `${short}\nRFC 7518 requires it; openssl rand -base64 32 generates a secret`,
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
        "must be an https URL\nanyone who can change the keys in transit can forge tokens",
      ),
      v.check(
        ({ username, password }) => username === "" && password === "",
        "must not contain a user and password",
      ),
    ),
  );
}
