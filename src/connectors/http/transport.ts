/** How requests reach an API: what all transports have in common. */
import type { Stop } from "./stop.ts";

/** What is sent, apart from its URL. */
export interface Init {
  readonly method: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** The largest body of a response that is read, in bytes. */
  readonly limit: number;
  /** Ends it: the connection is closed. */
  readonly stop: Stop;
}

/** A response. */
export interface Answered {
  readonly status: number;
  /** The value of a header, given in lower case; null where there is none. */
  header(name: string): string | null;
  /** All headers as data, by names in lower case; `set-cookie` is a list. */
  headers(): Readonly<Record<string, unknown>>;
  /** The body, decompressed; empty where it could not be read. */
  readonly body: Uint8Array;
  /** Why the body could not be read; a `TooLarge` where it is longer than the limit. */
  readonly failure: Error | undefined;
}

/** The body of a response is too large. The connection is closed. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

/**
 * Sends a request, and reads the response to its end. Rejects where no head of a response has
 * arrived: the connection failed, or with the reason for which the request was ended.
 */
export type Send = (url: string, init: Init) => Promise<Answered>;

/** A way to send requests. */
export interface Transport {
  /** For requests that may be sent twice: the runtime may do so where a kept connection is lost. */
  readonly send: Send;
  /** For all others. */
  readonly sendOnce: Send;
  /** Closes the connections that it keeps. */
  close(): void;
}
