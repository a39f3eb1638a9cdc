/** The identity of a client. */

/** The identity of a client: its user and what is known of it. */
export interface ClientIdentity {
  /** Null for a client without a token. */
  readonly userId: string | null;
  /** The claims of its token; null for a client without one. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** When it expires, leeway included, in milliseconds since the epoch; undefined for never. */
  readonly expiresAt: number | undefined;
}

/** The identity of a client without a token. It is here because most connectors load no verifier. */
export const ANONYMOUS: ClientIdentity = { userId: null, claims: null, expiresAt: undefined };
