/** Commands that settle within two seconds, with the errors of a backplane. */
import { ClientClosedError, ClientOfflineError } from "@redis/client";
import type { Buffer } from "node:buffer";
import type { Clock } from "../../../../../base/clock.ts";
import { Deadlines, type Expiring } from "../../../../../base/deadlines.ts";
import { BackplaneError } from "../../../../../contract/backplane.ts";
import type { Client } from "../server/client.ts";
import { describe, isAnswer } from "../server/errors.ts";
import type { Link } from "../server/link.ts";

/** Milliseconds after which nobody waits for an answer. */
const PATIENCE = 2000;

/** Uses a link. Commands of one turn of the event loop travel together. */
export class Commands {
  readonly #link: Link;
  readonly #deadlines: Deadlines;

  constructor(link: Link, clock: Clock) {
    this.#link = link;
    this.#deadlines = new Deadlines(clock, PATIENCE);
  }

  /**
   * Sends a command.
   *
   * @throws {BackplaneError} There is no connection, the server refused it, or no answer came.
   */
  send<T>(args: readonly (string | Buffer)[]): Promise<T> {
    return this.run((client) => client.sendCommand<T>(args));
  }

  /** Does something with the client of the link, with the same errors. */
  run<T>(act: (client: Client) => Promise<T>): Promise<T> {
    const { client, health } = this.#link;
    if (client === undefined) return Promise.reject(new BackplaneError(health ?? "it is closed"));
    return new Promise((resolve, reject) => {
      const seconds = PATIENCE / 1000;
      const item: Expiring = {
        expire: () =>
          reject(new BackplaneError(`no answer came within ${seconds} s`, { unknown: true })),
      };
      this.#deadlines.add(item);
      act(client).then((answer) => {
        this.#deadlines.delete(item);
        resolve(answer);
      }, (cause) => {
        this.#deadlines.delete(item);
        reject(this.#failure(cause, client));
      });
    });
  }

  /** Sends nothing more. The link rejects what is on its way. */
  close(): void {
    this.#deadlines.close();
  }

  #failure(cause: unknown, client: Client): BackplaneError {
    const error = this.#link.explained(cause, client);
    const isUnsent = isAnswer(cause) || cause instanceof ClientOfflineError ||
      cause instanceof ClientClosedError;
    return new BackplaneError(describe(error), { unknown: !isUnsent, cause });
  }
}
