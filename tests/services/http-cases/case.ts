/** What the cases of a misbehaving API have in common. */
import type { Answer } from "../../support/http-api.ts";

/** What a flow gets: a result, or the error without its first words. */
export interface Expected {
  readonly result?: unknown;
  /** After `connector "api": GET /x `. */
  readonly error?: string;
  readonly status?: number;
  readonly body?: unknown;
}

/** An answer, and what a flow makes of it. */
export interface Case {
  readonly name: string;
  readonly answer: Answer;
  /** More of the connector. */
  readonly connector?: string;
  /** `GET /x` by default. */
  readonly to?: string;
  readonly expected: Expected;
  /** How many requests the API gets: one by default. */
  readonly requests?: number;
}

/** What a flow gets where the API refuses. */
export function refusal(status: number, body: unknown = null): Expected {
  return { error: `was answered with the status ${status}`, status, body };
}
