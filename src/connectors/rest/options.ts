/** The attributes of a rest connector. */
import * as v from "valibot";
import { attribute, type Values } from "../../contract/fields.ts";
import {
  integer,
  listenHost,
  size,
  type ValueSchema,
  valueSchema,
} from "../../contract/value-schema.ts";
import { readsCookie } from "../../access/auth/fields.ts";
import {
  type AllowedOrigins,
  originList,
  rateLimitField,
  requestAuthField,
  trustProxyField,
  withOrigins,
} from "../../access/mod.ts";

/** `*` for any origin, or these; none where the list is empty. */
export type Origins = "*" | readonly string[];

const FORM = 'must be true for any origin, or a list of origins such as ["https://example.com"]';

/** True for any origin, false for none, or a list of exact origins. */
function origins(): ValueSchema<Origins> {
  return valueSchema(
    "true, false or origins",
    v.pipe(
      v.unknown(),
      v.rawTransform<unknown, Origins>(({ dataset: { value }, addIssue, NEVER }) => {
        if (value === true || value === "true") return "*";
        if (value === false || value === "false") return [];
        if (!Array.isArray(value)) {
          addIssue({ message: FORM });
          return NEVER;
        }
        const bad: unknown = value.find((item) => !isOrigin(item));
        if (bad !== undefined) {
          addIssue({ message: `has ${JSON.stringify(bad)}, which is not an origin\n${hint(bad)}` });
          return NEVER;
        }
        return value;
      }),
    ),
  );
}

/** The attributes of a `connector` block. */
export const fields = {
  port: attribute(integer({ max: 65535 }), {
    about: "The port it listens on; 0 takes a free one.",
    required: true,
  }),
  host: attribute(listenHost(), { about: "The address it binds.", default: "0.0.0.0" }),
  cors: attribute(origins(), {
    about:
      "Lets pages of other origins call and read every answer, errors included: true for any, " +
      "or a list of exact origins.",
    default: false,
  }),
  auth: requestAuthField,
  origins: attribute(originList(), {
    about: "The origins whose pages may send requests, such as `https://example.com` or " +
      "`*.example.com` (https and its default port); those of `cors` may as well. Any by default; " +
      "required if `auth` reads a cookie and `cors` lists no origins.",
  }),
  rate_limit: rateLimitField({
    about: "The rate limit of each user, or of each address for requests without a user. A " +
      "request over the limit gets 429. No limit by default.",
    messages: "How many requests the bucket gains in each `per`; up to `burst` + `messages` are " +
      "served in one `per`.",
  }),
  trust_proxy: trustProxyField,
  max_body_size: attribute(size(), { about: "The largest body it reads.", default: "1MB" }),
};

/** The values of a `connector` block. */
export type RestOptions = Values<typeof fields>;

/** The pages that may send requests; undefined for all. */
export function pagesOf(
  { auth, cors, origins }: Pick<RestOptions, "auth" | "cors" | "origins">,
): AllowedOrigins | undefined {
  // Without a cookie, a list in `cors` only says whose pages may read the answers.
  const isList = cors !== "*" && cors.length > 0;
  if (isList && (origins !== undefined || auth !== undefined && readsCookie(auth))) {
    return withOrigins(origins, cors);
  }
  return origins;
}

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && new URL(value).origin === value;
}

function hint(value: unknown): string {
  if (value === "*") return "cors = true allows any origin";
  if (typeof value === "string" && URL.canParse(value)) {
    const { origin } = new URL(value);
    if (origin !== "null") return `did you mean "${origin}"?`;
  }
  return 'an origin is scheme, host and port, such as "https://example.com"';
}
