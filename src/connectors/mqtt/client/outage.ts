/** Logs outages of a broker, once for all connections of a connector. */
import type { Logger } from "../../../contract/connector.ts";

/** Which connections are lost. */
export class Outage {
  readonly #lost = new Set<object>();
  #ended = 0;
  readonly #where: string;
  readonly #logger: Logger;
  /** Why the broker refuses this client, as the log has it. */
  #refusal: string | undefined;

  /** `where` is the broker's address. */
  constructor(where: string, logger: Logger) {
    this.#where = where;
    this.#logger = logger;
  }

  /** How many outages have ended. */
  get ended(): number {
    return this.#ended;
  }

  /** A connection is lost, or could not be made. `refused`: the broker does not take this client. */
  begins(connection: object, reason: string, refused: boolean): void {
    const isFirst = this.#lost.size === 0;
    this.#lost.add(connection);
    if (refused && reason !== this.#refusal) {
      // It is there again: the log may have said only that it was away.
      this.#refusal = reason;
      const message = "the broker {where} refuses the connection; tries again: {reason}";
      this.#logger.error(message, { where: this.#where, reason });
    } else if (isFirst) {
      const message = "the broker {where} is away; reconnecting: {reason}";
      this.#logger.warn(message, { where: this.#where, reason });
    }
  }

  /** A connection is there. */
  ends(connection: object): void {
    if (!this.#lost.delete(connection) || this.#lost.size > 0) return;
    this.#refusal = undefined;
    this.#ended++;
    this.#logger.info("the broker {where} is back", { where: this.#where });
  }

  /** Another client came with the same id. */
  isTakenOver(clientId: string): void {
    this.#logger.error(
      'another client has connected with the client id "{clientId}"; this one comes back only when ' +
        "the service is started again: each instance needs a client_id of its own",
      { clientId },
    );
  }

  /** Connections do not last, and the broker does not say why. */
  suspects(clientId: string, times: number): void {
    this.#logger.error(
      "the broker closed {times} connections in a row soon after it had accepted them: does another " +
        'client use the client id "{clientId}"?',
      { clientId, times },
    );
  }
}
