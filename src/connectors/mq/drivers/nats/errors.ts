/** What errors of NATS and of connections to it mean. */
import {
  AuthorizationError,
  ConnectionError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";
import { shownWords } from "../../../../base/shown.ts";
import { CERTIFICATE_HINT, isWrongCertificate } from "../../../../contract/tls-files.ts";

/** A server that this client can never use as it is configured. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** Whether another attempt cannot succeed until the configuration of one side has changed. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof RefusedError || error instanceof UserAuthenticationExpiredError) return true;
  if (error instanceof AuthorizationError) return !/timeout/i.test(error.message);
  if (error instanceof ConnectionError && /does not support 'tls'/.test(error.message)) return true;
  return error instanceof Error && isWrongCertificate(causeOf(error));
}

/** An error in words. */
export function describe(error: unknown): string {
  if (error instanceof TimeoutError) return "it does not answer in time";
  if (error instanceof AuthorizationError) {
    return `it refuses the credentials: ${shownWords(error.message)}`;
  }
  if (!(error instanceof Error)) return shownWords(String(error ?? "the connection was closed"));
  const cause = causeOf(error);
  const words = cause.message === "" ? String((cause as { code?: unknown }).code) : cause.message;
  // What it refuses has its own words.
  const hint = !(error instanceof RefusedError) && isWrongCertificate(cause)
    ? `; ${CERTIFICATE_HINT}`
    : "";
  return `${shownWords(words)}${hint}`;
}

/** The library wraps some errors of the socket. */
function causeOf(error: Error): Error {
  return error instanceof ConnectionError && error.cause instanceof Error ? error.cause : error;
}
