/** What brokers and connections say when something fails, and whether another attempt can help. */
import { ReasonCodes } from "mqtt";
import { shownWords } from "../../../base/shown.ts";
import { isWrongCertificate } from "../../../contract/tls-files.ts";

/** A broker's answer, by its reason code. */
export class ReasonError extends Error {
  override readonly name = "ReasonError";
  /** The code that the broker sent. */
  readonly code: number;

  /** `what` failed, such as `it closed the connection`. */
  constructor(what: string, code: number) {
    super(`${what}: ${wordsOf(code)}`);
    this.code = code;
  }
}

/** The broker says that another client has come with the same id. */
export const TAKEN_OVER = 0x8e;

/** What a reason code means. */
export function wordsOf(code: number): string {
  const known: Readonly<Record<number, string>> = ReasonCodes;
  return known[code] || `reason code ${code}`;
}

/**
 * Refused connections that waiting does not repair, of MQTT 3.1.1 and 5: the version, the client id, the
 * credentials, what is not allowed, and a will that the broker does not take.
 */
const FINAL = [1, 2, 4, 5, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x90, 0x99, 0x9a, 0x9b];

/** Whether a refused connection will be refused until the configuration of one side has changed. */
export function isPermanent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return FINAL.includes(codeOf(error) ?? 0) || isWrongCertificate(error);
}

/** Messages that are refused however often they are sent: not allowed, the topic, its size, its payload. */
const UNSENDABLE = [0x87, 0x90, 0x95, 0x99, 0x9a, 0x9b];

/** Whether the broker has refused a message. Without a code of its own, the connection was lost. */
export function isRefused(error: Error): boolean {
  return codeOf(error) !== undefined;
}

/** Whether a message that was refused will always be. */
export function isRefusedForGood(error: Error): boolean {
  return UNSENDABLE.includes(codeOf(error) ?? 0);
}

/** What says by itself why there is no connection. */
const CLEAR =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|refused|timed out|no answer/i;

/**
 * Why a connection was not accepted. A port where something else listens, or the same without TLS, fails
 * with words of a library: they get a question with them. `kind` is what should be there.
 */
export function asked(error: unknown, kind: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (isPermanent(error) || typeof code === "number") return error;
  const words = describe(error);
  if (CLEAR.test(`${code} ${words}`)) return error;
  return new Error(`${words}; is there an ${kind} at this port?`, { cause: error });
}

/** An error in words; some of Node's have a code and no message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return shownWords(String(error));
  if (error.message !== "") {
    return shownWords(error.message.replace(/^(?:Connection refused|Publish error): /, ""));
  }
  return "code" in error ? String(error.code) : error.name;
}

function codeOf(error: Error): number | undefined {
  return "code" in error && typeof error.code === "number" ? error.code : undefined;
}
