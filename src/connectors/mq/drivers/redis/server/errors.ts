/** What errors of Redis and of connections to it mean. */
import { ErrorReply } from "@redis/client";
import { shownWords } from "../../../../../base/shown.ts";
import { CERTIFICATE_HINT, isWrongCertificate } from "../../../../../contract/tls-files.ts";

/** Another attempt cannot succeed until somebody has changed something. */
export class FinalError extends Error {
  override readonly name = "FinalError";
}

/** The first words of answers that waiting does not repair: credentials, rights, another kind of key. */
const FINAL = /^(?:WRONGPASS|NOAUTH|NOPERM|DENIED|WRONGTYPE|ERR (?:DB index|AUTH|unknown command))/;

/** Whether the server has answered with an error: it has surely not done what it was asked. */
export function isAnswer(error: unknown): error is ErrorReply {
  return error instanceof ErrorReply;
}

/** Whether another attempt cannot succeed until the configuration of one side has changed. */
export function isFinal(error: unknown): boolean {
  if (error instanceof FinalError) return true;
  if (isAnswer(error)) return FINAL.test(error.message);
  return error instanceof Error && isWrongCertificate(error);
}

/** Whether an answer is that the user may not do it, by itself or in a script. */
export function isForbidden({ message }: Error): boolean {
  return /^NOPERM|ACL failure in script/.test(message);
}

/** Whether the group, or the stream with it, is not there any more. */
export function isGroupGone(error: unknown): boolean {
  return isAnswer(error) && /^(?:NOGROUP|UNBLOCKED)/.test(error.message);
}

/** Whether the server takes no writes: it follows another one, since a failover perhaps. */
export function isReadOnly(error: unknown): boolean {
  return isAnswer(error) && error.message.startsWith("READONLY");
}

/** An error in words; some of Node's have a code and no message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return shownWords(String(error));
  const code = "code" in error ? String(error.code) : error.name;
  const words = error.message === "" ? code : error.message;
  const hint = isAnswer(error) || !isWrongCertificate(error)
    ? ""
    // The server asks for one.
    : /required/i.test(`${code} ${words}`)
    ? "; tls.cert and tls.key are this client's"
    : `; ${CERTIFICATE_HINT}`;
  return shownWords(words) + hint;
}
