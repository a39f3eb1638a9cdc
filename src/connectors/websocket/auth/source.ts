/** The `from` attribute: where in a handshake a token may stand. */
import * as v from "valibot";
import { didYouMean } from "../../../base/nearest.ts";
import { type ValueSchema, valueSchema } from "../../../contract/value-schema.ts";

/** One place of a handshake. */
export type TokenSource =
  | {
    readonly kind: "query" | "header" | "cookie";
    /** As it stands in the handshake; a header's in lower case. */
    readonly name: string;
  }
  | { readonly kind: "protocol" };

const FORM = "must be a list of places";
const EXAMPLES = '"query:NAME", "header:NAME", "cookie:NAME" or "protocol"';
const KINDS = ["query", "header", "cookie", "protocol"] as const;
/** RFC 9110: what the name of a header or a cookie is made of. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Headers of which another place reads a part. */
const PARTS: Readonly<Record<string, string>> = {
  cookie: "cookie:NAME",
  "sec-websocket-protocol": "protocol",
};

/** A list of places, such as `["query:token", "protocol"]`. */
export function tokenSources(): ValueSchema<readonly TokenSource[]> {
  return valueSchema(
    "list of places",
    v.pipe(
      v.array(v.string(`${FORM}\neach is ${EXAMPLES}`), `${FORM}\neach is ${EXAMPLES}`),
      v.minLength(1, `${FORM} with at least one\n${EXAMPLES}`),
      v.rawTransform<string[], readonly TokenSource[]>(
        ({ dataset: { value }, addIssue, NEVER }) => {
          const sources = value.map(readSource);
          const bad = sources.findIndex((source) => typeof source === "string");
          if (bad >= 0) {
            addIssue({ message: `has ${JSON.stringify(value[bad])}, ${sources[bad]}` });
            return NEVER;
          }
          return sources as TokenSource[];
        },
      ),
    ),
  );
}

/** A place, or what is wrong with it: the second line is the hint. */
function readSource(written: string): TokenSource | string {
  if (written === "protocol") return { kind: "protocol" };
  const [, prefix, rest] = /^([^:]*)(?::(.*))?$/s.exec(written) ?? [];
  const kind = KINDS.find((known) => known === prefix);
  if (kind === undefined) {
    return `which is no place\n${didYouMean(prefix ?? "", KINDS) ?? `one of ${EXAMPLES}`}`;
  }
  if (kind === "protocol") return 'which has a name\nwrite it as "protocol"';
  if (rest === undefined || rest === "") return `which has no name\nwrite it as "${kind}:NAME"`;
  if (kind === "query") return { kind, name: rest };
  if (!TOKEN.test(rest)) return `whose name no ${kind} can have`;
  if (kind === "cookie") return { kind, name: rest };
  const name = rest.toLowerCase();
  return Object.hasOwn(PARTS, name)
    ? `which holds more than a token\nwrite it as "${PARTS[name]}"`
    : { kind, name };
}
