/** Errors on their way between a supervisor and its workers. */
import { ConnectorError } from "../errors.ts";
import type { Failure, Result } from "./messages.ts";

/** What a promise gives, or the parts of its error; never rejects. */
export async function resultOf<T>(act: () => Promise<T>): Promise<Result<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** The value of a result. Throws the error that it tells of. */
export function valueOf<T>(result: Result<T>): T {
  if ("value" in result) return result.value;
  const { connector, message, permanent } = result.failure;
  if (connector === undefined) throw new Error(message);
  throw new ConnectorError(connector, message, { permanent });
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof ConnectorError)) {
    const message = error instanceof Error ? error.stack ?? error.message : String(error);
    return { connector: undefined, message, permanent: true };
  }
  const { connector, message, permanent } = error;
  // The error that is made of it says again which connector it is.
  const prefix = `connector "${connector}": `;
  const text = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return { connector, message: text, permanent };
}
