/** The `origins` attribute: which pages may connect. */
import * as v from "valibot";
import { type ValueSchema, valueSchema } from "../contract/value-schema.ts";

/** Origins as browsers write them: whole origins, and the suffixes of those written with `*.`. */
export interface AllowedOrigins {
  /** Such as `https://example.com:8443`. */
  readonly exact: ReadonlySet<string>;
  /** Such as `.example.com`: any host below it, over https and on its default port. */
  readonly suffixes: readonly string[];
}

const FORM = "must be a list of origins";
const EXAMPLES = 'such as "https://example.com" or "*.example.com"';
/** Origins of other apps, which `URL` does not parse. */
const FOREIGN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+$/;
/** The origin of a page over https on the default port. */
const HTTPS = /^https:\/\/((?:[a-z0-9_-]+\.)+[a-z0-9-]+)$/;

/** A list such as `["https://example.com", "*.example.com"]`. */
export function originList(): ValueSchema<AllowedOrigins> {
  return valueSchema(
    "list of origins",
    v.pipe(
      v.array(
        v.string(`${FORM}\n${EXAMPLES}`),
        ({ input }) => `${FORM}\n${typeof input === "string" ? asList(input) : EXAMPLES}`,
      ),
      v.minLength(1, `${FORM} with at least one\n${EXAMPLES}`),
      v.rawTransform<string[], AllowedOrigins>(({ dataset: { value }, addIssue, NEVER }) => {
        const [exact, suffixes] = [new Set<string>(), [] as string[]];
        for (const written of value) {
          const found = readOrigin(written);
          if ("problem" in found) {
            addIssue({ message: `has ${JSON.stringify(written)}, ${found.problem}` });
            return NEVER;
          }
          if ("suffix" in found) suffixes.push(found.suffix);
          else exact.add(found.origin);
        }
        return { exact, suffixes };
      }),
    ),
  );
}

/** Allows more origins, each as browsers write it. */
export function withOrigins(
  allowed: AllowedOrigins | undefined,
  more: readonly string[],
): AllowedOrigins {
  return {
    exact: new Set([...allowed?.exact ?? [], ...more]),
    suffixes: allowed?.suffixes ?? [],
  };
}

/**
 * Whether a request with this `Origin` header is allowed. One without the header is: it does not come
 * from a browser, or is a GET.
 */
export function isAllowed(
  origin: string | undefined,
  { exact, suffixes }: AllowedOrigins,
): boolean {
  if (origin === undefined || exact.has(origin)) return true;
  const host = HTTPS.exec(origin)?.[1];
  return host !== undefined && suffixes.some((suffix) => host.endsWith(suffix));
}

type Read = { readonly origin: string } | { readonly suffix: string } | {
  /** A second line is the hint. */
  readonly problem: string;
};

function readOrigin(written: string): Read {
  if (written === "null") {
    return { problem: "which pages without an origin send\nany page can do that" };
  }
  if (written.startsWith("*.")) return readSuffix(written.slice(2));
  if (written.includes("*")) {
    return { problem: `which has a * that is not in front of a domain\n${EXAMPLES}` };
  }
  const url = URL.parse(written);
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === null || !isWeb && !FOREIGN.test(written)) {
    const isHost = HTTPS.test(`https://${written}`);
    return {
      problem: `which is not an origin\n${isHost ? `write it as "https://${written}"` : EXAMPLES}`,
    };
  }
  if (!isWeb) return { origin: written };
  // Otherwise a part of the text would be ignored.
  if (url.username !== "" || url.password !== "" || url.pathname !== "/" || /[?#]/.test(written)) {
    return { problem: `which is more than an origin\nwrite it as "${url.origin}"` };
  }
  return { origin: url.origin };
}

/** The hint for origins that are one text. */
function asList(text: string): string {
  const items = text.split(",").map((item) => JSON.stringify(item.trim()));
  return `write [${items.join(", ")}]`;
}

function readSuffix(domain: string): Read {
  const host = URL.parse(`https://${domain}`)?.host;
  if (host === undefined || /[/?#@:\\\s]/.test(domain) || !HTTPS.test(`https://${host}`)) {
    return {
      problem: 'which has no domain after the "*."\nit means https on the default port',
    };
  }
  return { suffix: `.${host}` };
}
