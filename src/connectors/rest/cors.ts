/** What browsers are told about the pages of other origins that may read answers (CORS). */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { readsCookie } from "../../access/auth/fields.ts";
import { METHODS } from "./operation.ts";
import type { RestOptions } from "./options.ts";

/** The pages that may read the answers of a connector, or of several. */
export interface Readers {
  /** True if pages of any origin may. */
  readonly anyone: boolean;
  /** Exact origins. */
  readonly origins: readonly string[];
  /** Whether they may send the visitor's cookies. */
  readonly credentials: boolean;
  /** Headers of answers that their scripts may read. */
  readonly exposed: readonly string[];
}

/** The pages that may read a connector's answers; undefined where none of another origin may. */
export function readersOf({ auth, cors }: RestOptions): Readers | undefined {
  if (cors.length === 0) return undefined;
  return {
    anyone: cors === "*",
    origins: cors === "*" ? [] : cors,
    credentials: auth !== undefined && readsCookie(auth),
    // 429 and 503 say when to come again.
    exposed: ["Retry-After", ...(auth === undefined ? [] : ["WWW-Authenticate"])],
  };
}

/** The pages that may read the answers of one of several connectors. */
export function joinReaders(all: readonly Readers[]): Readers {
  return {
    anyone: all.some(({ anyone }) => anyone),
    origins: all.flatMap(({ origins }) => origins),
    credentials: all.some(({ credentials }) => credentials),
    exposed: [...new Set(all.flatMap(({ exposed }) => exposed))],
  };
}

/** Adds the headers to an answer, and answers preflight requests. */
export function tellReaders(readers: Readers): MiddlewareHandler {
  const { anyone, origins, credentials, exposed } = readers;
  return cors({
    origin: anyone && origins.length === 0
      ? "*"
      // A browser that sends cookies does not accept "*".
      : (origin) => origins.includes(origin) ? origin : anyone ? "*" : null,
    allowMethods: [...METHODS],
    credentials,
    exposeHeaders: [...exposed],
  });
}
