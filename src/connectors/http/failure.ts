/** How a request can fail. */
import { ConnectorError } from "../../base/errors.ts";

/** What is known of a failure beside its words. */
export interface FailureOptions extends ErrorOptions {
  /** Whether another attempt can succeed. */
  readonly passing: boolean;
  /** Whether the API cannot have seen the request, so that even a POST may be sent again. */
  readonly unsent?: boolean;
  /** Milliseconds after which the API wants to be asked again; undefined where it does not say. */
  readonly retryAfter?: number | undefined;
  /** The status of the response; undefined where there is none. */
  readonly status?: number;
  /** The parsed body of the response. */
  readonly body?: unknown;
}

/** An attempt failed. The message is a clause whose subject is the request. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** What else is known of it. */
  readonly details: FailureOptions;

  /** `message` has no query, no secret, and nothing of the body. */
  constructor(message: string, details: FailureOptions) {
    super(message, details);
    this.details = details;
  }
}

/** The error of a flow: it names the connector and the operation as the configuration has it. */
export function toConnectorError(
  connector: string,
  operation: string,
  { message, details }: Failure,
): ConnectorError {
  const { status, body, cause, passing } = details;
  return new ConnectorError(connector, `${operation} ${message}`, {
    permanent: !passing,
    ...(cause === undefined ? {} : { cause }),
    ...(status === undefined ? {} : { status, body }),
  });
}
